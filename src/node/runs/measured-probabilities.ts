import { stat } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../../errors.js";
import { readIntegers, readSafetensorsHeader, readTensorFloat64 } from "../../tensor/safetensors/safetensors.js";
import { openFileSource } from "../files/file-source.js";

/**
 * Mean output probabilities that an analysis measured.
 * @param run its folder, or the tensors.safetensors in it
 * @throws InputError if they are not there
 */
export async function readMeasuredProbabilities(
  run: string,
): Promise<{ name: string; meanProbability: Float64Array; tokenIds: Int32Array | undefined }> {
  const isFolder = (await stat(run).catch(() => undefined))?.isDirectory() ?? false;
  const source = await openFileSource(isFolder ? join(run, "tensors.safetensors") : run);
  const { tensors } = await readSafetensorsHeader(source);
  const entry = tensors.get("mean_probability");
  if (entry === undefined || entry.shape.length !== 1) {
    throw new InputError(source.name, 'has no tensor "mean_probability" [V]: not the run of an analysis');
  }
  const ids = tensors.get("token_ids");
  return {
    name: source.name,
    meanProbability: await readTensorFloat64(entry),
    tokenIds: ids === undefined ? undefined : Int32Array.from(await readIntegers(ids)),
  };
}
