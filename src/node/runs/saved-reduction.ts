import { canHoldBias } from "../../export/edited-checkpoint.js";
import type { Model } from "../../model/model.js";
import { summarizeReduction } from "../../reduction/summary.js";
import { biasDirection } from "../../reduction/write/exact-head.js";
import { noPlaceForTwoStages } from "../../reduction/write/storable-head.js";
import { reductionCard } from "../../report/card/reduction-card.js";
import { findReduction } from "../../runs/reduction/reduce-find.js";
import { measureReduction } from "../../runs/reduction/reduce-measure.js";
import { checkAmounts, methodOf, type ReduceOptions } from "../../runs/reduction/reduce-options.js";
import { type ReduceResult, toStore } from "../../runs/reduction/reduce-run.js";
import { withReduceTexts } from "../../runs/reduction/reduce-texts.js";
import { rowFile } from "../files/row-file.js";
import { cardFile, originalModel } from "../save/card-file.js";
import { checkOut, clearOut } from "../save/save-model.js";
import { saveStorable } from "../save/save-storable.js";
import { version } from "../version.js";
import { reductionRunFiles } from "./write/reduction-files.js";
import type { Asked } from "./write/run-record.js";

/** A reduction that is written to a folder. */
export interface SaveReductionOptions extends ReduceOptions {
  /** What run.json and the page name as what was asked for. Default: this call. */
  readonly asked?: Asked | undefined;
  /** Replace a model folder that is there. */
  readonly force?: boolean | undefined;
}

/**
 * Reduces a model's head, writes the model to a new folder, reads it back, and measures what lies there; run.json, report.html
 * and unembed.json (docs/run-schema.md) are put beside. The folder appears whole or not at all.
 *
 *     await saveReduction(model, "smaller", { fit, check, amount: { keep: 512 }, format: "onnx" });
 *
 * @throws InputError if a text cannot be used, an option is out of range, the format has no place for what was asked for, or the folder
 * cannot be written
 */
export async function saveReduction(model: Model, out: string, options: SaveReductionOptions): Promise<ReduceResult> {
  const started = performance.now();
  const { format = "safetensors", force, signal, store = rowFile } = options;
  const call = `saveReduction(${[model.name, out].map((text) => JSON.stringify(text)).join(", ")})`;
  const { asked = { command: call, arguments: { model: model.name, out } } } = options;
  checkAmounts(options, model);
  await clearOut(out);
  await checkOut(model, out, force);
  await checkPlace(model, options);
  return withReduceTexts(model, { ...options, store }, async (texts) => {
    const found = await findReduction(model, texts, options);
    const storable = await toStore(model, found.reduced, texts, options);
    const { notes } = storable;
    const original = await originalModel(model);
    const run = await saveStorable(model, storable, out, {
      ...{ force, signal },
      measure: (head, weightBytes) => {
        const written = { format, weightBytes };
        return measureReduction(model, head, { found, texts, notes, written, started }, options);
      },
      filesOf: (measured) => {
        const { arrays: _, ...plan } = found.plan;
        const record = { unembed: version, plan, measured: summarizeReduction(measured, out) };
        return [
          ["unembed.json", `${JSON.stringify(record, undefined, 2)}\n`],
          [cardFile, reductionCard(measured, original, version)],
          ...reductionRunFiles(measured, asked),
        ];
      },
    });
    return { run, plan: found.plan, reduced: found.reduced };
  });
}

/** Fails before the work rather than after it. @throws InputError if a bias may be needed, or two stages, and has no place */
async function checkPlace(model: Model, options: SaveReductionOptions): Promise<void> {
  const { rescore, order, compensate } = methodOf(options);
  const { format = "safetensors", bias = true } = options;
  if (rescore !== undefined && format === "safetensors") throw noPlaceForTwoStages();
  const needed = compensate !== "none" || order === "rotation";
  if (format === "safetensors" && bias && needed && !canHoldBias(model)) await biasDirection(model);
}
