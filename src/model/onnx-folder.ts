import { readOnnxWeights } from "../engine/onnx-weights.js";
import type { Folder } from "../tensor/byte-source.js";
import type { TensorEntries } from "../tensor/checkpoint-layouts.js";

/** Where transformers.js looks for a model and, beside it, for the weights of a large one. */
export const onnxFolder = "onnx";
export const onnxName = "model.onnx";

/** The weights of a folder that was written as ONNX; undefined if it has no such file. @throws InputError if it cannot be read */
export async function findOnnxWeights(folder: Folder): Promise<TensorEntries | undefined> {
  const file = await folder.open(`${onnxFolder}/${onnxName}`);
  return file && readOnnxWeights(file, (location) => folder.open(`${onnxFolder}/${location}`));
}
