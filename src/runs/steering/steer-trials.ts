import { memoryStore } from "../../model/contexts/stored-contexts.js";
import type { Model } from "../../model/model.js";
import { isBan } from "../../steering/plan/targets.js";
import type { SteeringRun } from "../../steering/steering-run.js";
import { type ExperimentPlan, type Experiments, runExperiments } from "../../steering/trials/run-experiments.js";
import { type SteerRunOptions, withDefaults } from "./steer-options.js";
import { steeringFacts } from "./steering-facts.js";

/** Defaults of the trials: lambdas, edits and their tokens, and tokens of text. */
const usualLambdas = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1];
const fewEdits = 3;
const smallGroup = 8;
const fewTokens = 5000;

/** The trials that are asked for, or else a short sweep of lambda, where the method has one. */
export async function tryEdits(
  model: Model,
  plan: ExperimentPlan,
  options: SteerRunOptions,
): Promise<Experiments | undefined> {
  const { trials, texts, tokens, checkTokens, contextLength, separator, seed, signal, onEvent } = withDefaults(options);
  const { store = async () => memoryStore() } = options;
  const shared = { contextLength, separator, seed, store, signal };
  const onProgress = (done: number, total: number) =>
    onEvent?.({ type: "progress", phase: "trying edits", done, total, unit: "steps" });
  if (trials) return runExperiments(model, plan, texts, { ...trials, ...shared, tokens, checkTokens, onProgress });
  // How near to the logit bias the edit is belongs to every page, on as much text as takes a moment.
  const edits = plan.edits
    .filter(({ tokens, target }) => tokens.length <= smallGroup && !isBan(target))
    .slice(0, fewEdits);
  if (plan.method !== "nearest" || !plan.calibrate || edits.length === 0) return undefined;
  return runExperiments(model, { ...plan, edits }, texts, {
    ...{ ...shared, lambdas: usualLambdas, onProgress },
    ...{ tokens: Math.min(tokens, fewTokens), checkTokens: Math.min(checkTokens, fewTokens) },
  });
}

/**
 * Trials alone: what edits would do, without one that is made. Without edits in the plan, tokens drawn at random stand in.
 * @throws InputError if a text cannot be used or a target cannot be a probability
 */
export async function trialRun(model: Model, plan: ExperimentPlan, options: SteerRunOptions): Promise<SteeringRun> {
  const started = performance.now();
  const experiments = await tryEdits(model, plan, options);
  options.signal?.throwIfAborted();
  return { ...steeringFacts(model, options, started), experiments };
}
