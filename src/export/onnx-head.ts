import { readOnnxWeights } from "../engine/onnx-weights.js";
import { InputError } from "../errors.js";
import type { Head } from "../model/head/head.js";
import type { HeadModel } from "../model/head/head-model.js";
import { type ReducedHead, reducedNames } from "../model/head/reduced-head.js";
import type { Folder } from "../tensor/byte-source.js";
import { readIntegers, readTensor, type TensorEntry } from "../tensor/safetensors/safetensors.js";
import { onnxFolder, onnxName } from "./onnx-model.js";

type Weights = ReadonlyMap<string, TensorEntry>;

/**
 * The head as it lies in a folder that was written as ONNX: what was written, not what was meant to be.
 * @param model that it was made from @throws InputError if the file cannot be read or holds no head of the model's shape
 */
export async function readOnnxHead(folder: Folder, { head }: HeadModel): Promise<Head> {
  const weights = await openOnnxWeights(folder);
  const { vocabSize, hiddenSize } = head;
  const changed = weights.has("lm_head.weight");
  const weight = required(folder, weights, changed ? "lm_head.weight" : head.weight.name, [vocabSize, hiddenSize]);
  const biasName = head.bias?.name ?? "lm_head.bias";
  const bias = weights.has(biasName) ? required(folder, weights, biasName, [vocabSize]) : undefined;
  return { ...head, weight, bias, tied: head.tied && !changed };
}

/** The same of a factored head. */
export async function readOnnxReducedHead(
  folder: Folder,
  { head: { vocabSize, hiddenSize } }: HeadModel,
): Promise<ReducedHead> {
  const weights = await openOnnxWeights(folder);
  const kept = weights.get(reducedNames.factor)?.shape[1] ?? 0;
  const named = (part: keyof typeof reducedNames, shape: number[]) =>
    required(folder, weights, reducedNames[part], shape);
  const factor = await readTensor(named("factor", [vocabSize, kept]));
  const ofCoordinates = weights.has(reducedNames.coordinates);
  return {
    ...{ kept, factor },
    coordinates: ofCoordinates ? Int32Array.from(await readIntegers(named("coordinates", [kept]))) : undefined,
    projection: ofCoordinates ? undefined : await readTensor(named("projection", [kept, hiddenSize])),
    bias: await readTensor(named("bias", [vocabSize])),
  };
}

/** The weights of a folder that was written as ONNX. @throws InputError if there is no such file, or it cannot be read */
export async function openOnnxWeights(folder: Folder): Promise<Weights> {
  const file = await folder.open(`${onnxFolder}/${onnxName}`);
  if (file === undefined) throw new InputError(folder.name, `has no ${onnxFolder}/${onnxName}`);
  return readOnnxWeights(file, (location) => folder.open(`${onnxFolder}/${location}`));
}

function required(folder: Folder, weights: Weights, name: string, shape: readonly number[]): TensorEntry {
  const tensor = weights.get(name);
  if (tensor === undefined) throw new InputError(folder.name, `holds no weight "${name}"`);
  if (tensor.shape.length === shape.length && shape.every((size, axis) => size === tensor.shape[axis])) return tensor;
  const found = `[${tensor.shape.join(", ")}] where [${shape.join(", ")}] is wanted`;
  throw new InputError(folder.name, `weight "${name}" has shape ${found}`);
}
