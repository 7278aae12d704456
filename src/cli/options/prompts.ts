import { type Command, InvalidArgumentError } from "commander";
import type { Prompt } from "../../generation/generate.js";
import { optionalTokenizer } from "../../model/head/head-model.js";
import type { Model } from "../../model/model.js";
import { readPromptIds } from "../../node/corpus/prompt-ids.js";
import { readInput } from "../../node/files/read-input.js";
import { UsageError } from "../usage-error.js";
import { collectedTexts } from "./common-options.js";

/** What a command line says is to be gone on with. */
export interface PromptArguments {
  prompt?: string[];
  /** Ids, or the file that holds them. */
  promptIds?: (number[] | string)[];
}

/** A prompt, and the text or ids that are shown of it. */
export interface GivenPrompt {
  readonly prompt: Prompt;
  readonly shown: string;
}

/** Between ids, as they are shown and given. */
export const idSeparator = ",";

/** Adds the options that say what is to be gone on with. */
export function promptOptions(command: Command): Command {
  return command
    .option("--prompt <text>", "what to go on with, - for standard input; may be given several times", collectedTexts)
    .option(
      "--prompt-ids <ids>",
      "token ids to go on with, as 1,2,3 or a .npy file of one prompt or one a row; may be given several times",
      collectedIds,
    );
}

function collectedIds(text: string, before: (number[] | string)[] = []): (number[] | string)[] {
  if (text.endsWith(".npy")) return [...before, text];
  if (!/^\d+(?:,\d+)*$/.test(text)) throw new InvalidArgumentError("ids as 1,2,3 or a .npy file are wanted.");
  return [...before, text.split(idSeparator).map(Number)];
}

/** @throws UsageError if there is none */
export function checkPrompts({ prompt, promptIds }: PromptArguments): void {
  if (prompt === undefined && promptIds === undefined) {
    throw new UsageError("--prompt", "is missing: what to go on with (or --prompt-ids)");
  }
}

/** Prompts with standard input in place of "-", without the line break at its end, and with the ids of files. */
export async function readPrompts({ prompt = [], promptIds = [] }: PromptArguments, signal: AbortSignal) {
  const input = prompt.includes("-") ? (await readInput(signal)).replace(/\r?\n$/, "") : "";
  const ids = await Promise.all(promptIds.map(async (one) => (typeof one === "string" ? readPromptIds(one) : [one])));
  return [...prompt.map((text) => (text === "-" ? input : text)), ...ids.flat()];
}

/** Prompts as what a user says: token ids of the model's chat template, with the beginning of an answer. */
export async function chatPrompts(model: Model, prompts: readonly Prompt[]): Promise<Prompt[]> {
  const tokenizer = await model.tokenizer();
  return prompts.map((prompt) => {
    if (typeof prompt !== "string") throw new UsageError("--chat", "takes text (--prompt), no ids");
    return tokenizer.encode(tokenizer.chat([{ role: "user", content: prompt }], true));
  });
}

/** Prompts as they are shown: ids as text, where the model has a tokenizer. */
export async function shownPrompts(model: Model, prompts: readonly Prompt[]): Promise<GivenPrompt[]> {
  const tokenizer = await optionalTokenizer(model);
  return prompts.map((prompt) => {
    if (typeof prompt === "string") return { prompt, shown: prompt };
    const shown = tokenizer ? tokenizer.decode(prompt.filter(tokenizer.produces)) : prompt.join(idSeparator);
    return { prompt, shown };
  });
}
