import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { type Model, openModel } from "../model/model.js";
import { openFolder } from "./file-source.js";
import { createEngine } from "./onnx-engine.js";

const assets = new URL("../../assets/", import.meta.url);

/** Name of the model that comes with unembed: GPT-2 architecture, V = 8192, d = 256 (see its card in assets/). */
export const defaultModel = "tiny-books";
const embeddedModels: Record<string, URL> = { [defaultModel]: new URL("tiny-books/", assets) };

/** Text that comes with unembed: three books that the embedded model was not trained on. */
export const defaultCorpus = fileURLToPath(new URL("corpus/books-fit.txt", assets));

export interface LoadOptions {
  /** Processor cores to use. Default: all. */
  threads?: number | undefined;
  /** Write onnxruntime's profiles to files with this prefix. */
  profile?: string | undefined;
}

/**
 * Opens a model: a folder with config.json, weights and tokenizer.json, or `tiny-books`, which comes with unembed.
 *
 *     const model = await loadModel("./my-model", { threads: 4 });
 *
 * @throws InputError naming the file and the field that cannot be used
 */
export async function loadModel(name: string = defaultModel, options: LoadOptions = {}): Promise<Model> {
  const engine = createEngine({ threads: options.threads ?? availableParallelism(), profile: options.profile });
  const embedded = embeddedModels[name];
  try {
    return await openModel(openFolder(embedded === undefined ? name : fileURLToPath(embedded)), engine, name);
  } catch (error) {
    await engine.close();
    throw error;
  }
}
