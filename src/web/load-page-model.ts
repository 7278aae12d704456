import { InputError } from "../errors.js";
import type { HeadModel } from "../model/head/head-model.js";
import { openHead } from "../model/head/head-only.js";
import { type Model, openModel } from "../model/model.js";
import type { Folder } from "../tensor/byte-source.js";
import { type FetchOptions, type ModelSource, openReference } from "./open-reference.js";
import { createPageEngine } from "./page-engine.js";
import type { Device } from "./start-worker.js";
import { agreeingWebGpu } from "./webgpu-trial.js";

/** How a page opens a model. */
export interface PageLoadOptions extends FetchOptions {
  /** Workers that compute. Default: one for each of the processor's cores, 8 at most. */
  threads?: number | undefined;
  /**
   * `webgpu` for the graphics card, where there is one on which a window's hidden states come out as on the processor; which it
   * is `onNotice` is told.
   */
  device?: Device | undefined;
}

/** More workers hold more copies of the weights than a page should. */
const maxWorkers = 8;

/**
 * Opens a model in a page, or in a worker of it.
 *
 *     const model = await loadModel("EleutherAI/pythia-70m", { onProgress });
 *     const other = await loadModel(new URL("models/tiny-books/", document.baseURI));
 *     const dropped = await loadModel(event.dataTransfer.files);
 *
 * @throws InputError naming the file and the field that cannot be used, or what keeps it from being fetched
 */
export async function loadModel(source: ModelSource, options: PageLoadOptions = {}): Promise<Model> {
  const engine = createPageEngine(threadCount(options.threads));
  try {
    const folder = await openReference(source, options);
    const model = await openModel(folder, engine, folder.name, options.onNotice);
    return options.device === "webgpu" ? await agreeingWebGpu(model, folder, options.onNotice) : model;
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/**
 * Opens only the head of a model, of any architecture, for hidden states that were computed elsewhere.
 * @param options tensorName: the output embedding's name in the checkpoint; left out, the usual names are tried
 * @throws InputError naming the file and the field that cannot be used
 */
export async function loadHead(
  source: ModelSource,
  options: PageLoadOptions & { tensorName?: string | undefined } = {},
): Promise<HeadModel> {
  const folder: Folder = await openReference(source, options);
  const engine = createPageEngine(threadCount(options.threads));
  try {
    return await openHead(folder, engine, folder.name, options.tensorName, options.onNotice);
  } catch (error) {
    await engine.close();
    throw error;
  }
}

function threadCount(asked: number | undefined): number {
  if (asked === undefined) return Math.min(navigator.hardwareConcurrency || 1, maxWorkers);
  if (Number.isInteger(asked) && asked >= 1 && asked <= maxWorkers) return asked;
  throw new InputError("threads", `is ${asked}; a whole number from 1 to ${maxWorkers} is wanted`);
}
