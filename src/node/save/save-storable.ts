import { editedCheckpoint } from "../../export/edited-checkpoint.js";
import { readOnnxHead, readOnnxReducedHead } from "../../export/onnx-head.js";
import { onnxFiles } from "../../export/onnx-model.js";
import type { Head } from "../../model/head/head.js";
import { spreadHead } from "../../model/head/spread-head.js";
import type { Model } from "../../model/model.js";
import type { StorableHead } from "../../reduction/write/storable-head.js";
import type { Folder } from "../../tensor/byte-source.js";
import { openFolder } from "../files/file-source.js";
import { type NamedFiles, type SaveOptions, saveExamined } from "./save-model.js";
import { withWrittenHead } from "./written-head.js";
import { weightBytesOf } from "./written-weights.js";

export interface SaveStorableOptions<Measured> extends Pick<SaveOptions, "force" | "signal"> {
  /**
   * Called with the head as it lies in the folder, before the folder has its name.
   * @param weightBytes of all weights that lie there
   */
  readonly measure: (head: Head, weightBytes: number) => Promise<Measured>;
  /** The measures that are written beside the model. */
  readonly filesOf: (measured: Measured) => NamedFiles;
}

/**
 * Writes a model with a reduced head in its place, reads it back and measures it.
 * @throws InputError as saveModel; what measuring throws passes, and nothing is left of the folder then
 */
export async function saveStorable<Measured>(
  model: Model,
  { stored }: StorableHead,
  out: string,
  { measure, filesOf, ...options }: SaveStorableOptions<Measured>,
): Promise<Measured> {
  const make = () =>
    stored.format === "onnx" ? onnxFiles(model, stored.reduced) : editedCheckpoint(model, stored.change);
  const examine = async (folder: string) => {
    const written = openFolder(folder);
    const onnx = stored.format === "onnx";
    const bytes = await weightBytesOf(stored.format, folder);
    const found = onnx
      ? await measure(await writtenReducedHead(written, model), bytes)
      : await withWrittenHead(stored.format, folder, { original: model, threads: model.engine.threads }, (head) =>
          measure(head, bytes),
        );
    return { found, files: filesOf(found) };
  };
  return saveExamined(model, out, make, examine, { ...options, changed: true });
}

/** Of two stages, the rows that are rescored are read back too. */
async function writtenReducedHead(written: Folder, model: Model): Promise<Head> {
  const reduced = await readOnnxReducedHead(written, model);
  const head = reduced.rescore === undefined ? model.head : await readOnnxHead(written, model);
  return spreadHead({ engine: model.engine, head }, reduced);
}
