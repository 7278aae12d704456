import { InputError } from "../errors.js";
import type { Head } from "../model/head/head.js";
import type { HeadModel } from "../model/head/head-model.js";
import { readReducedHead, requiredWeight } from "../model/head/read-reduced-head.js";
import type { ReducedHead } from "../model/head/reduced-head.js";
import { findOnnxWeights, onnxFolder, onnxName } from "../model/onnx-folder.js";
import type { Folder } from "../tensor/byte-source.js";
import type { TensorEntries } from "../tensor/checkpoint-layouts.js";

/**
 * The head as it lies in a folder that was written as ONNX: what was written, not what was meant to be.
 * @param model that it was made from @throws InputError if the file cannot be read or holds no head of the model's shape
 */
export async function readOnnxHead(folder: Folder, { head, headName }: HeadModel): Promise<Head> {
  const weights = await openOnnxWeights(folder);
  const { vocabSize, hiddenSize } = head;
  const name = weights.has(headName) ? headName : head.weight.name;
  const weight = requiredWeight(folder.name, weights, name, [vocabSize, hiddenSize]);
  const biasName = head.bias?.name ?? "lm_head.bias";
  const bias = weights.has(biasName) ? requiredWeight(folder.name, weights, biasName, [vocabSize]) : undefined;
  return { ...head, weight, bias, tied: head.tied && name !== headName };
}

/** The same of a factored head. */
export async function readOnnxReducedHead(folder: Folder, { head }: HeadModel): Promise<ReducedHead> {
  return readReducedHead(folder.name, await openOnnxWeights(folder), head);
}

/** The weights of a folder that was written as ONNX. @throws InputError if there is no such file, or it cannot be read */
export async function openOnnxWeights(folder: Folder): Promise<TensorEntries> {
  const weights = await findOnnxWeights(folder);
  if (weights === undefined) throw new InputError(folder.name, `has no ${onnxFolder}/${onnxName}`);
  return weights;
}
