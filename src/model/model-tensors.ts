import type { Folder } from "../tensor/byte-source.js";
import { missingWeights, type TensorEntries } from "../tensor/checkpoint-layouts.js";
import { findCheckpointTensors, type OnNotice } from "../tensor/checkpoint-tensors.js";
import { reducedNames } from "./head/reduced-head.js";
import { findOnnxWeights, onnxFolder, onnxName } from "./onnx-folder.js";
import { nameByItself } from "./text-part.js";
import { refuseUnreadableWeights } from "./unreadable-weights.js";

export interface ModelTensors {
  readonly tensors: TensorEntries;
  /** What holds them, for messages. */
  readonly place: string;
  /** Read back from an ONNX file that unembed wrote, whose weights keep their checkpoint's names. */
  readonly ofOnnx: boolean;
  /** Whether the head is a factored one. */
  readonly factored: boolean;
}

/**
 * The tensors of a model's folder: of its checkpoint or, where there is none, of what unembed wrote as ONNX.
 * @throws InputError if there is neither, or a file cannot be used
 */
export async function openModelTensors(folder: Folder, onNotice?: OnNotice): Promise<ModelTensors> {
  const checkpoint = await findCheckpointTensors(folder, onNotice);
  if (checkpoint !== undefined) {
    refuseUnreadableWeights(folder.name, checkpoint);
    return { tensors: checkpoint, place: folder.name, ofOnnx: false, factored: false };
  }
  const stored = await findOnnxWeights(folder);
  if (stored === undefined) throw await missingWeights(folder, `, ${onnxFolder}/${onnxName}`);
  const place = `${folder.name}/${onnxFolder}/${onnxName} (of ONNX files only those that unembed wrote are read)`;
  // Of a larger model the text part alone was written, with the config of its own family.
  const named = [...stored.values()].map((tensor) => ({ ...tensor, name: nameByItself(tensor.name) }));
  const tensors = new Map(named.map((tensor) => [tensor.name, tensor]));
  return { tensors, place, ofOnnx: true, factored: tensors.has(reducedNames.factor) };
}
