import { readOnnxReducedHead } from "../../export/onnx-head.js";
import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import { changedHead } from "../../model/head/changed-head.js";
import type { Head } from "../../model/head/head.js";
import type { ReducedHead } from "../../model/head/reduced-head.js";
import type { Model } from "../../model/model.js";
import { exactHead } from "../../reduction/write/exact-head.js";
import { roundedHead, spreadHead } from "../../reduction/write/factored-head.js";
import { openFolder } from "../files/file-source.js";
import { type SaveOptions, saveModel } from "./save-model.js";
import { saveOnnx } from "./save-onnx.js";
import { type ModelFormat, withWrittenHead } from "./written-head.js";

/** A reduction in the form in which it is to be written. */
export interface WritableReduction {
  /** In the digits in which it is stored; for what is measured without writing. */
  readonly head: Head;
  /** What someone who uses it should know. */
  readonly notes: readonly string[];
  /**
   * Writes the folder and calls back with the head as it lies there, before the folder has its name.
   * @param examine what is measured of it becomes files beside
   * @throws InputError as saveModel
   */
  save(out: string, examine: (head: Head) => ReturnType<NonNullable<SaveOptions["examine"]>>): Promise<void>;
}

export interface WriteOptions extends Pick<SaveOptions, "force" | "signal"> {
  readonly format: ModelFormat;
  readonly threads?: number | undefined;
  /** Instead of a bias, in a folder of the ordinary shape: contexts by which it is put into the kept columns. */
  readonly withoutBias?: StoredContexts | undefined;
}

/** @throws InputError if a folder of the ordinary shape has no place for the bias */
export async function writableReduction(
  model: Model,
  reduced: ReducedHead,
  { format, threads, withoutBias, ...options }: WriteOptions,
): Promise<WritableReduction> {
  if (format === "onnx") {
    return {
      head: await spreadHead(model, roundedHead(model, reduced)),
      notes: [],
      save: (out, examine) =>
        saveOnnx(model, reduced, out, {
          ...options,
          async examine(folder) {
            return examine(await spreadHead(model, await readOnnxReducedHead(openFolder(folder), model, reduced)));
          },
        }),
    };
  }
  const { change, notes } = await exactHead(model, reduced, withoutBias);
  return {
    head: changedHead(model.head, change),
    notes,
    save: (out, examine) =>
      saveModel(model, change, out, {
        ...options,
        examine: (folder) => withWrittenHead(format, folder, { original: model, threads }, examine),
      }),
  };
}
