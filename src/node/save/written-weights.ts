import type { ModelFormat } from "../../export/model-formats.js";
import { openOnnxWeights } from "../../export/onnx-head.js";
import { openCheckpointTensors } from "../../tensor/checkpoint-tensors.js";
import { weightBytes } from "../../tensor/weight-bytes.js";
import { openFolder } from "../files/file-source.js";

/** Bytes of all weights of a folder that was written. @throws InputError if it cannot be read */
export async function weightBytesOf(format: ModelFormat, path: string): Promise<number> {
  const folder = openFolder(path);
  return weightBytes(await (format === "onnx" ? openOnnxWeights(folder) : openCheckpointTensors(folder)));
}
