import type { Model } from "../../model/model.js";
import { memoryStore } from "../../model/pass/row-store.js";
import { isInContext } from "../../steering/plan/word-edits.js";
import type { SteeringRun } from "../../steering/steering-run.js";
import { type ExperimentPlan, type Experiments, runExperiments } from "../../steering/trials/run-experiments.js";
import { type SteerRunOptions, withDefaults } from "./steer-options.js";
import { steeringFacts } from "./steering-facts.js";

/** The trials that are asked for; undefined if none are. */
export async function tryEdits(
  model: Model,
  plan: ExperimentPlan,
  options: SteerRunOptions,
): Promise<Experiments | undefined> {
  const { trials, texts, tokens, checkTokens, contextLength, separator, beginOfText, seed, signal, onEvent } =
    withDefaults(options);
  const { store = async () => memoryStore() } = options;
  const shared = { contextLength, separator, beginOfText, seed, store, signal };
  const onProgress = (done: number, total: number) =>
    onEvent?.({ type: "progress", phase: "trying edits", done, total, unit: "steps" });
  if (trials === undefined) return undefined;
  const inAll = { ...plan, edits: plan.edits.filter((edit) => !isInContext(edit)) };
  return runExperiments(model, inAll, texts, { ...trials, ...shared, tokens, checkTokens, onProgress });
}

/**
 * Trials alone: what edits would do, without one that is made. Without edits in the plan, tokens drawn at random stand in.
 * @throws InputError if a text cannot be used or a target cannot be a probability
 */
export async function trialRun(model: Model, plan: ExperimentPlan, options: SteerRunOptions): Promise<SteeringRun> {
  const started = performance.now();
  const experiments = await tryEdits(model, plan, options);
  options.signal?.throwIfAborted();
  return { ...(await steeringFacts(model, options, started)), experiments };
}
