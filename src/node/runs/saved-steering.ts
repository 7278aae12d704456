import type { ModelFormat } from "../../export/model-formats.js";
import type { Head } from "../../model/head/head.js";
import type { Model } from "../../model/model.js";
import type { SteerRunOptions } from "../../runs/steering/steer-options.js";
import { examineRun, solveRun, withContexts } from "../../runs/steering/steer-run.js";
import { trialRun } from "../../runs/steering/steer-trials.js";
import type { EditPlan } from "../../steering/plan/saved-plan.js";
import type { EditedRun, SteeringRun } from "../../steering/steering-run.js";
import type { ExperimentPlan } from "../../steering/trials/run-experiments.js";
import { checkWritable } from "../files/check-writable.js";
import { rowFile } from "../files/row-file.js";
import { originalModel } from "../save/card-file.js";
import { checkOut, clearOut } from "../save/save-model.js";
import { saveExaminedHead } from "../save/written-head.js";
import type { Asked } from "./write/run-record.js";
import { editedRunFiles, writeSteeringRun } from "./write/steering-files.js";

/** An edit that is written to a folder. */
export interface SaveSteeringOptions extends SteerRunOptions {
  /** Default: safetensors, a folder for transformers. */
  readonly format?: ModelFormat | undefined;
  /** Replace a model folder that is there. */
  readonly force?: boolean | undefined;
  /** What run.json and the page name as what was asked for. Default: this call. */
  readonly asked?: Asked | undefined;
}

/**
 * Steers a model into a folder: finds the edits, writes the model, reads it back, measures what was written rather than what
 * was meant to be, puts the plan, run.json and the page beside it, and only then gives the folder its name.
 *
 *     const plan = await planEdits(model, { " the": 0.5 });
 *     const { edit } = await saveSteering(model, plan, "less-the", { texts: { fit: corpus("wiki/*.txt") } });
 *
 * @param options as for steerRun, but hidden states lie in files that are gone afterwards unless `store` says otherwise
 * @throws InputError if a text cannot be used, the targets contradict one another, or as saveModel
 */
export async function saveSteering(
  model: Model,
  plan: EditPlan,
  out: string,
  { format = "safetensors", force, asked, ...options }: SaveSteeringOptions,
): Promise<EditedRun> {
  // Refused before the work rather than after it.
  await clearOut(out);
  await checkOut(model, out, force);
  const running: SteerRunOptions = { store: rowFile, ...options };
  return withContexts(model, plan, running, async (contexts) => {
    const solved = await solveRun(model, plan, running, contexts);
    const examine = async (head: Head) => {
      const run = await examineRun(model, { head, out }, solved, running);
      const original = await originalModel(model);
      return { found: run, files: editedRunFiles(run, asked ?? callOf("saveSteering", model, out), original) };
    };
    return saveExaminedHead(model, solved.steered.change, out, examine, { format, force, signal: running.signal });
  });
}

/**
 * Tries edits of a model without making one: run.json and the page in a folder of their own. Without edits in the plan, tokens
 * drawn at random stand in.
 *
 *     const plan = { ...editWay({ method: "nearest" }), edits: [] };
 *     const { experiments } = await saveTrials(model, plan, "trials", { texts, trials: { scales: [0.2, 5] } });
 *
 * @param options as for steerRun, but hidden states lie in files that are gone afterwards unless `store` says otherwise
 * @throws InputError if a text cannot be used, a target cannot be a probability, or the folder cannot be written
 */
export async function saveTrials(
  model: Model,
  plan: ExperimentPlan,
  out: string,
  { asked, ...options }: SteerRunOptions & Pick<SaveSteeringOptions, "asked">,
): Promise<SteeringRun> {
  await checkWritable(out);
  const run = await trialRun(model, plan, { store: rowFile, ...options });
  await writeSteeringRun(out, run, asked ?? callOf("saveTrials", model, out));
  return run;
}

function callOf(called: string, { name }: Model, out: string): Asked {
  return {
    command: `${called}(${JSON.stringify(name)}, plan, ${JSON.stringify(out)})`,
    arguments: { model: name, out },
  };
}
