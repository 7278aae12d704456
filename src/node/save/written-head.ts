import { editedCheckpoint } from "../../export/edited-checkpoint.js";
import type { ModelFormat } from "../../export/model-formats.js";
import { readOnnxHead } from "../../export/onnx-head.js";
import { onnxFiles } from "../../export/onnx-model.js";
import type { Head } from "../../model/head/head.js";
import type { HeadChange } from "../../model/head/head-change.js";
import type { HeadModel } from "../../model/head/head-model.js";
import type { Model } from "../../model/model.js";
import { openFolder } from "../files/file-source.js";
import { loadModel } from "../load-model.js";
import { type NamedFiles, type SaveOptions, saveExamined, saveModel } from "./save-model.js";
import { saveOnnx } from "./save-onnx.js";

export const saveAs = { safetensors: saveModel, onnx: saveOnnx } as const satisfies Record<ModelFormat, unknown>;
const filesAs = { safetensors: editedCheckpoint, onnx: onnxFiles } as const satisfies Record<ModelFormat, unknown>;

/**
 * Writes a model with another head, looks at the head that was written, and only then gives the folder its name.
 * @param examine is given the head as it lies on the disk; what it throws, nothing is left of; the files that it returns are put
 * beside
 * @returns what was found @throws InputError as saveModel
 */
export function saveExaminedHead<Found>(
  model: Model,
  change: HeadChange,
  out: string,
  examine: (head: Head) => Promise<{ found: Found; files: NamedFiles }>,
  { format, ...options }: { format: ModelFormat } & Pick<SaveOptions, "force" | "signal">,
): Promise<Found> {
  const { threads } = model.engine;
  const examined = (folder: string) => withWrittenHead(format, folder, { original: model, threads }, examine);
  return saveExamined(model, out, () => filesAs[format](model, change), examined, { ...options, changed: true });
}

/**
 * Calls back with the head as it lies in a folder that was written, and closes the folder's files again.
 * @param original that it was made from @throws InputError if the folder cannot be read
 */
export async function withWrittenHead<Result>(
  format: ModelFormat,
  folder: string,
  { original, threads }: { original: HeadModel; threads?: number | undefined },
  use: (head: Head) => Promise<Result>,
): Promise<Result> {
  if (format === "onnx") return use(await readOnnxHead(openFolder(folder), original));
  const written = await loadModel(folder, { threads, device: "cpu" });
  try {
    return await use(written.head);
  } finally {
    // A folder with open files cannot be renamed everywhere.
    await written.close();
  }
}
