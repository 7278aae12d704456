import { onnxFiles } from "../../export/onnx-model.js";
import type { HeadChange } from "../../model/head/head-change.js";
import type { ReducedHead } from "../../model/head/reduced-head.js";
import type { Model } from "../../model/model.js";
import { isChange, type SaveOptions, saveFiles } from "./save-model.js";

/**
 * Writes a model with another head as a folder that transformers.js loads: its text-generation pipeline, or onnxruntime on
 * `onnx/model.onnx`. It appears whole or not at all, and is written piece by piece.
 *
 *     await saveOnnx(model, { rows: solution.rows }, "gpt2-less-the");
 *
 * @param change of the head, a factored one in its place, or `{}` for the model as it is
 * @throws InputError as saveModel
 */
export async function saveOnnx(
  model: Model,
  change: HeadChange | ReducedHead,
  out: string,
  options: SaveOptions = {},
): Promise<void> {
  await saveFiles(model, out, () => onnxFiles(model, change), { ...options, changed: isChange(change) });
}
