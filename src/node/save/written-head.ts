import type { ModelFormat } from "../../export/model-formats.js";
import { readOnnxHead } from "../../export/onnx-head.js";
import type { Head } from "../../model/head/head.js";
import type { HeadModel } from "../../model/head/head-model.js";
import { openFolder } from "../files/file-source.js";
import { loadModel } from "../load-model.js";
import { saveModel } from "./save-model.js";
import { saveOnnx } from "./save-onnx.js";

export const saveAs = { safetensors: saveModel, onnx: saveOnnx } as const satisfies Record<ModelFormat, unknown>;

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
  const written = await loadModel(folder, { threads });
  try {
    return await use(written.head);
  } finally {
    // A folder with open files cannot be renamed everywhere.
    await written.close();
  }
}
