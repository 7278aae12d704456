import type { Comparison } from "../../compare/comparison.js";
import type { Corpus } from "../../corpus/corpus.js";
import type { Model } from "../../model/model.js";
import { type ComparisonRunOptions, comparisonRun } from "../../runs/comparison-run.js";
import { checkWritable } from "../files/check-writable.js";
import { writeComparisonRun } from "./write/comparison-files.js";
import type { Asked } from "./write/run-record.js";

/** A comparison that is written to a folder. */
export interface SaveComparisonOptions extends ComparisonRunOptions {
  /** How many of the tokens that moved most to list. Default 20. */
  readonly movers?: number | undefined;
  /** What run.json and the page name as what was asked for. Default: this call. */
  readonly asked?: Asked | undefined;
}

/**
 * Compares two models on a text, into a folder: run.json, the tensors and the page.
 *
 *     const { kl } = await saveComparison(original, edited, corpus("wiki/*.txt"), "compared", { tokens: 100_000 });
 *
 * @throws InputError as compare, or if the folder cannot be written
 */
export async function saveComparison(
  modelA: Model,
  modelB: Model,
  text: Corpus,
  out: string,
  { movers, asked = callOf(modelA, modelB, out), ...options }: SaveComparisonOptions = {},
): Promise<Comparison> {
  await checkWritable(out);
  const comparison = await comparisonRun(modelA, modelB, text, options);
  await writeComparisonRun(out, comparison, asked, movers);
  return comparison;
}

function callOf({ name: modelA }: Model, { name: modelB }: Model, out: string): Asked {
  const names = [modelA, modelB].map((name) => JSON.stringify(name)).join(", ");
  return { command: `saveComparison(${names}, text, ${JSON.stringify(out)})`, arguments: { modelA, modelB, out } };
}
