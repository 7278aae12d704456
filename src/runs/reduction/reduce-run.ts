import { InputError } from "../../errors.js";
import type { ReducedHead } from "../../model/head/reduced-head.js";
import { spreadHead } from "../../model/head/spread-head.js";
import type { Model } from "../../model/model.js";
import type { ReductionPlan } from "../../reduction/plan/reduction-plan.js";
import type { ReductionRun } from "../../reduction/reduction-run.js";
import { type StorableHead, storableHead } from "../../reduction/write/storable-head.js";
import { type FoundReduction, findReduction } from "./reduce-find.js";
import { measureReduction } from "./reduce-measure.js";
import { checkAmounts, type ReduceOptions } from "./reduce-options.js";
import { type ReduceTexts, withReduceTexts } from "./reduce-texts.js";

/** What a reduction chose and measured. */
export interface ReduceResult {
  /** What was measured. */
  readonly run: ReductionRun;
  /** What was chosen, to be applied again. */
  readonly plan: ReductionPlan;
  /** The head that the plan stands for. */
  readonly reduced: ReducedHead;
}

/**
 * Chooses what a model's head can do without, and measures what that loses and gains; writes nothing.
 *
 *     const { run, reduced } = await reduceRun(model, { fit: corpus("wiki.txt"), check: corpus("news.txt"), amount: { keep: 512 } });
 *
 * @throws InputError if a text cannot be used, or an option is out of range
 */
export async function reduceRun(model: Model, options: ReduceOptions): Promise<ReduceResult> {
  const started = performance.now();
  checkAmounts(options, model);
  return withReduceTexts(model, options, async (texts) => {
    const found = await findReduction(model, texts, options);
    const { head, notes } = await headInFormat(model, found, texts, options);
    const run = await measureReduction(model, head, { found, texts, notes, started }, options);
    return { run, plan: found.plan, reduced: found.reduced };
  });
}

/** As the format would store it; also what it has no place for is measured. */
async function headInFormat(
  model: Model,
  { reduced }: FoundReduction,
  texts: ReduceTexts,
  options: ReduceOptions,
): Promise<Pick<StorableHead, "head" | "notes">> {
  try {
    return await toStore(model, reduced, texts, options);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { head: await spreadHead(model, reduced), notes: [`could not be written: ${error.message}`] };
  }
}

/** The head in the form in which it is to be written. @throws InputError if the format has no place for it */
export function toStore(
  model: Model,
  reduced: ReducedHead,
  { fit }: ReduceTexts,
  { format = "safetensors", bias = true }: ReduceOptions,
): Promise<StorableHead> {
  return storableHead(model, reduced, { format, withoutBias: bias ? undefined : fit.contexts });
}
