import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import type { HeadModel } from "../../model/head/head-model.js";
import { modelCard, type OriginalModel } from "../../report/card/model-card.js";
import { version } from "../version.js";

/** Where the Hugging Face hub looks for a model's card. */
export const cardFile = "README.md";

/** Longer cards are cut there: the hub's own have some hundred kilobytes at most. */
const longestCard = 2 ** 22;

/** A model as the card of one that was made of it names it. @throws InputError if its own card cannot be read */
export async function originalModel({ name, folder }: HeadModel): Promise<OriginalModel> {
  const onDisk = (await stat(name).catch(() => undefined)) !== undefined;
  // Which folders it lies in is nobody's business; of a repository neither is the protocol, and the revision no part of the name.
  const shown = onDisk ? basename(resolve(name)) : name.replace(/^hf:\/\//, "").replace(/@.*$/, "");
  const source = await folder.open(cardFile);
  if (source === undefined) return { name: shown, card: undefined };
  const bytes = await source.read(0, Math.min(source.size, longestCard));
  const cut = source.size > longestCard ? `\n\n(Cut here: the file has ${source.size} bytes.)\n` : "";
  return { name: shown, card: new TextDecoder().decode(bytes) + cut };
}

/** The card of a model with another head of which no more is known. */
export async function changedCard(model: HeadModel): Promise<string> {
  const done = "The output embedding was changed; every other weight is what it was.";
  return modelCard(await originalModel(model), { done, version });
}
