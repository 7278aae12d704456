import type { Tokenizer } from "../corpus/tokenizer/tokenizer.js";
import { InputError } from "../errors.js";
import { type BeginOfText, beginOfTextIds } from "../model/contexts/begin-of-text.js";
import { optionalTokenizer } from "../model/head/head-model.js";
import type { Model } from "../model/model.js";
import type { BanOptions } from "./bans/ban.js";
import { openBans } from "./bans/open-bans.js";
import { type Continuation, type ContinueOptions, continueTexts, sampleRandom } from "./continuations.js";
import { endOfTextIds } from "./end-of-text.js";
import type { Sampling } from "./sampling.js";
import { textPieces } from "./text-pieces.js";

/** Text, or token ids for models without a tokenizer. */
export type Prompt = string | readonly number[];

/** What to go on with, how long, how many texts, how tokens are drawn, and what must not be written. */
export interface GenerateOptions extends Sampling, BanOptions {
  /** One prompt. */
  prompt?: Prompt | undefined;
  /** Several, in place of one. */
  prompts?: readonly Prompt[] | undefined;
  /** Tokens to write at most. Default 100. */
  maxTokens?: number | undefined;
  /** Default 0. The same seed gives the same texts, whichever are written beside them. */
  seed?: number | undefined;
  /** Texts for each prompt. Default 1. */
  n?: number | undefined;
  /** Begin each prompt with the begin-of-text token; an empty one always does. */
  beginOfText?: BeginOfText | undefined;
  /** How many texts to write side by side. Default: as many as fit in 512 MB of keys and values, 32 at most. */
  batchSize?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Told of every token as soon as it stays whatever comes, and of the text that became whole with it. */
  onToken?: ((token: GeneratedToken) => void) | undefined;
}

/** A token as it is written. */
export interface GeneratedToken {
  /** Numbers of the prompt and of its text, from 0. */
  readonly prompt: number;
  readonly sample: number;
  readonly id: number;
  /** "" while a character lacks bytes, for the end of the text, and for models without a tokenizer. */
  readonly text: string;
}

/** A text that was written, and what it goes on from. */
export interface GeneratedText extends Continuation {
  /** Numbers of the prompt and of its text, from 0. */
  readonly prompt: number;
  readonly sample: number;
  /** What was written after the prompt; "" for models without a tokenizer. */
  readonly text: string;
}

export const defaultMaxTokens = 100;

/**
 * Goes on with prompts: `n` texts for each, in the order of the prompts. Each token costs one position, since the layers
 * keep keys and values; a text that fills the model's positions goes on from its last half.
 *
 *     const [{ text }] = await generate(model, { prompt: "It was", temperature: 0.8, topP: 0.95, seed: 1 });
 *
 * @throws InputError if a prompt cannot be used, an option makes no sense or logits are not finite
 */
export async function generate(model: Model, options: GenerateOptions): Promise<GeneratedText[]> {
  const { maxTokens = defaultMaxTokens, seed = 0, n = 1, onToken } = options;
  if (!Number.isInteger(n) || n < 1) throw new InputError("n", `is ${n}; a whole number above 0 is wanted`);
  const tokenizer = await optionalTokenizer(model);
  const ids = promptIds(model, tokenizer, promptsOf(options), options.beginOfText ?? "auto");
  const endOfText = await endOfTextIds(model.folder);
  const bans = openBans(model, tokenizer, options, { endOfText, maxTokens });
  const texts = ids.flatMap((opening, prompt) =>
    Array.from({ length: n }, (_, sample) => ({
      ...{ prompt, sample, text: "" },
      opening: { ids: opening, random: sampleRandom(seed, prompt, sample), watch: bans?.watch(opening) },
      pieces: tokenizer && textPieces(tokenizer, opening),
    })),
  );
  const continued = await continueTexts(
    model,
    texts.map(({ opening }) => opening),
    {
      ...samplingOf(options),
      ...{ maxTokens, endOfText, batchSize: options.batchSize, signal: options.signal, drawing: bans?.drawing },
      onToken(index, id) {
        const one = texts[index]!;
        const text = endOfText.has(id) ? "" : (one.pieces?.push(id)?.text ?? "");
        one.text += text;
        onToken?.({ prompt: one.prompt, sample: one.sample, id, text });
      },
    },
  );
  return continued.map((continuation, index) => {
    const { prompt, sample, text, pieces } = texts[index]!;
    return { prompt, sample, ...continuation, text: text + (pieces?.end()?.text ?? "") };
  });
}

/** The part of longer options that says how tokens are drawn. */
export function samplingOf({ temperature, topK, topP }: Sampling): Pick<ContinueOptions, keyof Sampling> {
  return { temperature, topK, topP };
}

function promptsOf({ prompt, prompts }: GenerateOptions): readonly Prompt[] {
  const given = prompts ?? (prompt === undefined ? [] : [prompt]);
  if (given.length === 0) throw new InputError("prompt", "is missing: what is the text to begin with?");
  return given;
}

/**
 * Token ids of prompts.
 * @param beginOfText whether each starts with that token; with "auto", ids are taken as they are. An empty one always does
 * @throws InputError if there is text and no tokenizer, or no begin-of-text token for an empty one
 */
export function promptIds(
  model: Model,
  tokenizer: Tokenizer | undefined,
  prompts: readonly Prompt[],
  beginOfText: BeginOfText,
): (readonly number[])[] {
  return prompts.map((prompt) => {
    if (typeof prompt === "string" && tokenizer === undefined) {
      throw new InputError(model.name, "has no tokenizer.json: prompts have to be token ids");
    }
    const ids = typeof prompt === "string" ? tokenizer!.encode(prompt) : prompt;
    const when =
      ids.length === 0 ? "always" : typeof prompt === "string" || beginOfText !== "auto" ? beginOfText : "never";
    return [...beginOfTextIds(model, tokenizer, when), ...ids];
  });
}
