import { fileURLToPath } from "node:url";
import type { Convergence } from "../../dynamics/dynamics.js";
import { type FileSource, openFileSource } from "../files/file-source.js";

const assets = new URL("../../../assets/", import.meta.url);

/** Name of the training run that comes with unembed: output embeddings of a small GPT-NeoX (see its card in assets/). */
export const embeddedSeries = "tiny-books-neox";

const folder = new URL(`${embeddedSeries}/`, assets);

/** The folder that holds one folder per step. */
export const embeddedSteps = fileURLToPath(new URL("steps", folder));

/** Counts by id in the text that the series was trained on, and its training log. */
export const embeddedCounts = fileURLToPath(new URL("token-counts.npy", folder));
export const embeddedLog = fileURLToPath(new URL("training-log.jsonl", folder));

/** The convergence of all parameters of the series, measured once on the whole checkpoints by `measureConvergence`. */
export async function embeddedConvergence(): Promise<Convergence> {
  const source: FileSource = await openFileSource(fileURLToPath(new URL("convergence.json", folder)));
  return JSON.parse(new TextDecoder().decode(await source.read(0, source.size))) as Convergence;
}

/** Folder of the tokenizer of a model that comes with unembed, by the model's name. */
export function embeddedTokenizerFolder(name: string): string | undefined {
  return name === embeddedSeries || name === "tiny-books" ? fileURLToPath(new URL(`${name}/`, assets)) : undefined;
}
