import { requirePlace } from "../../export/edited-gguf.js";
import type { EditedFormat } from "../../export/model-formats.js";
import { ggufFilesOf } from "../../model/gguf/gguf-folder.js";
import type { Head } from "../../model/head/head.js";
import { type HeadType, retypedWeight } from "../../model/head/retyped-head.js";
import type { Model } from "../../model/model.js";
import type { SteerRunOptions } from "../../runs/steering/steer-options.js";
import { examineRun, solveRun, withContexts } from "../../runs/steering/steer-run.js";
import { trialRun } from "../../runs/steering/steer-trials.js";
import { type EditPlan, savedPlan } from "../../steering/plan/saved-plan.js";
import type { EditedRun, SteeringRun } from "../../steering/steering-run.js";
import type { ExperimentPlan } from "../../steering/trials/run-experiments.js";
import { checkWritable } from "../files/check-writable.js";
import { rowFile } from "../files/row-file.js";
import { cardFile, originalModel } from "../save/card-file.js";
import { checkGgufOut, reportBeside, saveGguf } from "../save/save-gguf.js";
import { checkOut, clearOut } from "../save/save-model.js";
import { saveExaminedHead } from "../save/written-head.js";
import type { Asked } from "./write/run-record.js";
import { editedRunFiles, writeSteeringRun } from "./write/steering-files.js";

/** An edit that is written to a folder. */
export interface SaveSteeringOptions extends SteerRunOptions {
  /** Default: safetensors, a folder for transformers; of a GGUF file gguf, a file like it. */
  readonly format?: EditedFormat | undefined;
  /** Replace what is there. */
  readonly force?: boolean | undefined;
  /** Of gguf: the folder of run.json and the page. Default: beside the file, `edited.report` of `edited.gguf`. */
  readonly report?: string | undefined;
  /** Of gguf: number type of the whole head, where its own is too coarse. */
  readonly headType?: HeadType | undefined;
  /** Of gguf: change the input embedding itself where the head is tied to it, which changes how tokens are read too. */
  readonly keepTied?: boolean | undefined;
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
  { format = defaultFormat(model), force, asked, report, headType, keepTied, ...options }: SaveSteeringOptions,
): Promise<EditedRun> {
  if (format === "gguf") {
    const ways = { report: report ?? reportBeside(out), headType, keepTied, force };
    return steerGguf(model, plan, out, { ...ways, asked: asked ?? callOf("saveSteering", model, out) }, options);
  }
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

/** What steering writes where nothing is asked for. */
export function defaultFormat(model: Pick<Model, "folder">): EditedFormat {
  return ggufFilesOf(model.folder) === undefined ? "safetensors" : "gguf";
}

interface GgufWays {
  readonly report: string;
  readonly headType: HeadType | undefined;
  readonly keepTied: boolean | undefined;
  readonly force: boolean | undefined;
  readonly asked: Asked;
}

async function steerGguf(
  model: Model,
  plan: EditPlan,
  out: string,
  { report, headType, keepTied, force, asked }: GgufWays,
  options: SteerRunOptions,
): Promise<EditedRun> {
  requirePlace(model, { keepTied });
  await checkGgufOut(model, { out, report }, force);
  const running: SteerRunOptions = { store: rowFile, ...options };
  // Edits are found in the numbers of the head that is written; what they do is measured beside the original's.
  const written = headType
    ? { ...model, head: { ...model.head, weight: retypedWeight(model.head.weight, headType) } }
    : model;
  return withContexts(model, plan, running, async (contexts) => {
    const solved = await solveRun(written, plan, running, contexts);
    const { steered } = solved;
    const warnings = [...steered.solution.warnings, ...(model.head.tied && keepTied ? [readingChanges] : [])];
    const told = { ...solved, steered: { ...steered, solution: { ...steered.solution, warnings } } };
    const examine = async (head: Head) => {
      const run = await examineRun(model, { head, out }, told, running);
      const files = editedRunFiles(run, asked, await originalModel(model));
      return { found: run, files: files.filter(([name]) => name !== cardFile) };
    };
    const edit = { change: steered.change, plan: JSON.stringify(savedPlan(steered.plan)), keepTied };
    return saveGguf(written, edit, { out, report }, examine, running.signal);
  });
}

const readingChanges =
  "the input embedding is changed with the head: how the edited tokens are read changes too, which the measurements here leave out";

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
