import { availableParallelism } from "node:os";
import type { Engine } from "../engine/engine.js";
import { InputError } from "../errors.js";
import type { HeadModel } from "../model/head/head-model.js";
import { openHead } from "../model/head/head-only.js";
import { type Model, openModel } from "../model/model.js";
import type { PartProgress } from "../model/pass/layers-in-turn.js";
import type { StateType } from "../model/pass/state-place.js";
import type { Folder } from "../tensor/byte-source.js";
import { openTokenizerFolder, withTokenizerOf } from "./corpus/tokenizer-folder.js";
import { type OpenEngineOptions, openEngine } from "./devices/open-engine.js";
import { assetPath } from "./files/assets.js";
import { openFolder } from "./files/file-source.js";
import { temporaryPlace } from "./files/temporary-states.js";
import { freeMemory } from "./free-memory.js";
import { resolveModelFolder } from "./hub/model-folder.js";
import type { HubOptions } from "./hub/repository.js";

/** Name of the model that comes with unembed: GPT-2 architecture, V = 8192, d = 256 (see its card in assets/). */
export const defaultModel = "tiny-books";
const embeddedModels: Record<string, string> = { [defaultModel]: assetPath("tiny-books/") };

/** Whether it is the name of a model that comes with unembed. */
export function isEmbeddedModel(name: string): boolean {
  return Object.hasOwn(embeddedModels, name);
}

/** Text that comes with unembed: three books that the embedded model was not trained on. */
export const defaultCorpus = assetPath("corpus/books-fit.txt");

/** Text that nothing is fitted to: another book of the same kind, and speeches. */
export const embeddedTexts = {
  inDomain: assetPath("corpus/books-heldout.txt"),
  outOfDomain: assetPath("corpus/speeches.txt"),
};

/** As many threads can be asked for on any machine, so that a command line works on all of them. */
const minThreadLimit = 64;

/** More threads than cores make everything slower, thousands of them stop the machine. */
export const maxThreads = Math.max(availableParallelism(), minThreadLimit);

/** Device and threads, profiles, and what the hub is asked with. */
export interface LoadOptions
  extends HubOptions,
    Pick<OpenEngineOptions, "device" | "precision" | "profile" | "onPlacement"> {
  /** Processor cores to use. Default: all. */
  threads?: number | undefined;
  /** Take the tokenizer of this model, a folder, file or repository, in place of the model's own. */
  tokenizer?: string | undefined;
}

/** How much memory a model may take. */
export interface MemoryOptions {
  /**
   * Bytes for its weights and what they are computed with, beside the program itself: layers of a larger model take turns.
   * Default: three quarters of what is free, of the machine and of the process' control group.
   */
  maxMemory?: number | undefined;
  /** What hidden states are between the layers of such a model, in a temporary file. Default float32. */
  hiddenType?: StateType | undefined;
  /** Told how far the layers in memory are. */
  onLayers?: ((progress: PartProgress) => void) | undefined;
}

/**
 * Opens a model: a folder with config.json, weights and tokenizer.json, a repository of the Hugging Face hub
 * (`org/name`, `org/name@revision`, `hf://org/name`), a GGUF file (`model.gguf`, `hf://org/name/model.gguf`), or `tiny-books`, which comes with unembed. From the hub only the files
 * that are needed are fetched, into the cache that Python's huggingface_hub uses too.
 *
 *     const model = await loadModel("EleutherAI/pythia-70m@step1000", { threads: 4 });
 *
 * @throws InputError naming the file and the field that cannot be used
 */
export async function loadModel(
  name: string = defaultModel,
  options: LoadOptions & MemoryOptions = {},
): Promise<Model> {
  const { maxMemory, hiddenType = "float32", onNotice, onLayers } = options;
  const limit = {
    bytes: maxMemory ?? usualMemory(),
    place: temporaryPlace(hiddenType),
    announce: maxMemory !== undefined && Number.isFinite(maxMemory),
    ...{ onNotice, onProgress: onLayers },
  };
  return withEngine(name, options, (folder, engine) => openModel(folder, engine, name, onNotice, limit));
}

/** What a model may take where nobody says how much: enough is left for what else runs. */
export function usualMemory(): number {
  return 0.75 * freeMemory();
}

/**
 * Opens only the head of a model, of any architecture, for hidden states that were computed elsewhere.
 * @param options tensorName: the output embedding's name in the checkpoint; left out, the usual names are tried
 * @throws InputError naming the file and the field that cannot be used
 */
export async function loadHead(
  name: string = defaultModel,
  options: LoadOptions & { tensorName?: string | undefined } = {},
): Promise<HeadModel> {
  return withEngine(name, options, (folder, engine) =>
    openHead(folder, engine, name, options.tensorName, options.onNotice),
  );
}

export function threadCount(asked: number | undefined): number {
  if (asked === undefined) return availableParallelism();
  if (Number.isInteger(asked) && asked >= 1 && asked <= maxThreads) return asked;
  throw new InputError("threads", `is ${asked}; a whole number from 1 to ${maxThreads} is wanted`);
}

async function withEngine<Opened>(
  name: string,
  options: LoadOptions,
  open: (folder: Folder, engine: Engine) => Promise<Opened>,
): Promise<Opened> {
  const embedded = isEmbeddedModel(name) ? embeddedModels[name] : undefined;
  const own = embedded ? openFolder(embedded) : await resolveModelFolder(name, options);
  const { tokenizer } = options;
  const folder = tokenizer === undefined ? own : withTokenizerOf(own, await openTokenizerFolder(tokenizer, options));
  const { device, precision, profile, onPlacement, onNotice } = options;
  const threads = threadCount(options.threads);
  const engine = await openEngine({ ...{ threads, device, precision, profile, onPlacement }, onNotice });
  try {
    return await open(folder, engine);
  } catch (error) {
    await engine.close();
    throw error;
  }
}
