import type { Corpus } from "../corpus/corpus.js";
import type { Tokenizer } from "../corpus/tokenizer/tokenizer.js";
import { tokenIds } from "../corpus/tokens/token-ids.js";
import { windows } from "../corpus/tokens/windows.js";
import { float32Output } from "../engine/engine.js";
import { InputError } from "../errors.js";
import { type BeginOfText, beginOfWindows } from "../model/contexts/begin-of-text.js";
import { contextLengthFor } from "../model/contexts/context.js";
import type { Head } from "../model/head/head.js";
import { logitsGraph, optionalTokenizer } from "../model/head/head-model.js";
import type { Model } from "../model/model.js";
import { type ContinueOptions, continueWith, type Logits, sampleRandom } from "./continuations.js";
import { type Decoder, openDecoder } from "./decoder.js";
import { endOfTextIds } from "./end-of-text.js";
import { type Prompt, promptIds, samplingOf } from "./generate.js";
import type { Sampling } from "./sampling.js";
import { type TextMeasures, textMeasures } from "./text-measures.js";
import { textPieces } from "./text-pieces.js";

/** A stretch of generated text. */
export interface GeneratedPiece {
  readonly text: string;
  /** Whether it is one of the edited tokens. */
  readonly edited: boolean;
}

/** What the original and the edited model go on with from one prompt and seed. */
export interface GeneratedPair {
  readonly prompt: string;
  readonly seed: number;
  readonly before: readonly GeneratedPiece[];
  readonly after: readonly GeneratedPiece[];
}

/** How often some tokens occur in all texts of each model. */
export interface Occurrences {
  readonly before: number;
  readonly after: number;
  /** The same divided by all tokens. */
  readonly rate: { readonly before: number; readonly after: number };
}

/** Texts from the same prompts and seeds before and after an edit. */
export interface GeneratedTexts {
  readonly pairs: readonly GeneratedPair[];
  /** Of each edit's tokens, in the order given. */
  readonly occurrences: readonly Occurrences[];
  /** Tokens generated in all, by each model. */
  readonly tokens: { readonly before: number; readonly after: number };
  /** Where they were asked for. */
  readonly measures?: TextMeasures | undefined;
}

/** The two models and the prompts that both go on with. */
export interface GeneratedTextsOptions extends Sampling {
  original: Model;
  /** What is on the original's layers instead of its head: a head on disk or in memory, or what computes logits. */
  edited: { head: Head } | { logits: Logits };
  prompts: readonly Prompt[];
  /** A text for each prompt and seed. Default: 0. */
  seeds?: readonly number[] | undefined;
  /** Ids to mark and count, a list for each edit. */
  editedTokens?: readonly (readonly number[])[] | undefined;
  /** Default 60. */
  maxTokens?: number | undefined;
  /** Whether prompts that are text begin with the begin-of-text token. Default "auto": as the model's own tokenizer does it. */
  beginOfText?: BeginOfText | undefined;
  /** Also MAUVE, different n-grams and repetition; the original then writes a second set of texts to be held against. */
  measures?: boolean | undefined;
  batchSize?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Told of each token. */
  onToken?: (() => void) | undefined;
}

/** Seeds of the second set of the original's texts. */
const otherSeed = (seed: number) => -1 - seed;

/**
 * Texts of a model before and after its head was changed, from the same prompts and random numbers: while both
 * distributions agree, so do the texts.
 * @throws InputError if a prompt cannot be used, an option makes no sense, or the heads have other shapes
 */
export async function generatedTexts(options: GeneratedTextsOptions): Promise<GeneratedTexts> {
  const { original, prompts, seeds = [0], editedTokens = [], maxTokens = 60 } = options;
  if (seeds.length === 0) throw new InputError("seeds", "are none: at least one is wanted");
  const tokenizer = await optionalTokenizer(original);
  const ids = promptIds(original, tokenizer, prompts, options.beginOfText ?? "auto");
  const endOfText = await endOfTextIds(original.folder);
  const wanted: ContinueOptions = {
    ...samplingOf(options),
    ...{ maxTokens, endOfText, batchSize: options.batchSize, signal: options.signal, onToken: options.onToken },
  };
  const edited = await openLogits(original, options.edited);
  const decoder = await openDecoder(original);
  try {
    const write = (logits: Logits, drawnWith = seeds) =>
      writtenIds(decoder, { model: original, logits }, { ids, seeds: drawnWith }, wanted);
    const before = await write(original.logits);
    const after = await write(edited.logits);
    const marked = new Set(editedTokens.flat());
    const pieces = (prompt: number, written: readonly number[]) =>
      tokenizer === undefined ? [] : markedPieces(tokenizer, { opening: ids[prompt]!, written, marked, endOfText });
    return {
      pairs: before.map((written, index) => {
        const [prompt, seed] = [Math.floor(index / seeds.length), seeds[index % seeds.length]!];
        return {
          prompt: tokenizer?.decode(ids[prompt]!.filter(tokenizer.produces)) ?? "",
          seed,
          before: pieces(prompt, written),
          after: pieces(prompt, after[index]!),
        };
      }),
      occurrences: editedTokens.map((tokens) => occurrencesOf(new Set(tokens), before, after)),
      tokens: { before: before.flat().length, after: after.flat().length },
      measures: options.measures
        ? await textMeasures(decoder, original, {
            ...{ before, after, control: await write(original.logits, seeds.map(otherSeed)) },
            ...{ openings: ids.flatMap((opening) => seeds.map(() => opening)), endOfText, signal: options.signal },
          })
        : undefined,
    };
  } finally {
    await decoder.close();
    await edited.close();
  }
}

/**
 * Beginnings of a text's windows, as prompts.
 * @param options how many prompts at most, and tokens of each
 * @throws InputError if the text cannot be used
 */
export async function windowPrompts(
  model: Model,
  corpus: Corpus,
  {
    count = 8,
    tokens = 16,
    contextLength,
    separator,
    beginOfText,
  }: {
    count?: number;
    tokens?: number;
    contextLength?: number | undefined;
    separator?: number | null | undefined;
    beginOfText?: BeginOfText | undefined;
  } = {},
): Promise<number[][]> {
  const length = contextLengthFor([model], contextLength, corpus);
  const tokenizer = await optionalTokenizer(model);
  const begin = await beginOfWindows(model, tokenizer, corpus, beginOfText);
  const ids = tokenIds(begin.corpus, tokenizer, { vocabSize: model.vocabSize, separator });
  const prompts: number[][] = [];
  for await (const window of windows(ids, { contextLength: length, beginOfText: begin.ids })) {
    // What is left at the end may be too short; of a text that is all of it, it is the only one.
    if (window.length < Math.min(tokens, length) && prompts.length > 0) break;
    prompts.push(Array.from(window.subarray(0, tokens)));
    if (prompts.length === count) break;
  }
  return prompts;
}

async function openLogits(original: Model, edited: GeneratedTextsOptions["edited"]) {
  if ("logits" in edited) return { logits: edited.logits, close: async () => {} };
  const { vocabSize, hiddenSize } = edited.head;
  if (vocabSize !== original.vocabSize || hiddenSize !== original.hiddenSize) {
    const wanted = `[${original.vocabSize}, ${original.hiddenSize}]`;
    throw new InputError("head", `is [${vocabSize}, ${hiddenSize}] and that of ${original.name} ${wanted}`);
  }
  const session = await original.engine.load(logitsGraph(edited.head, original.engine));
  const logits: Logits = async (hidden) => {
    const dims = [hidden.length / hiddenSize, hiddenSize];
    return float32Output(await session.run({ hidden: { type: "float32", data: hidden, dims } }), "logits");
  };
  return { logits, close: () => session.release() };
}

/** A text for each prompt and seed, prompt by prompt. */
async function writtenIds(
  decoder: Decoder,
  parts: { model: Model; logits: Logits },
  { ids, seeds }: { ids: readonly (readonly number[])[]; seeds: readonly number[] },
  options: ContinueOptions,
): Promise<(readonly number[])[]> {
  const openings = ids.flatMap((opening, prompt) =>
    seeds.map((seed) => ({ ids: opening, random: sampleRandom(seed, prompt, 0) })),
  );
  return (await continueWith(decoder, parts, openings, options)).map((continuation) => continuation.ids);
}

function occurrencesOf(
  tokens: ReadonlySet<number>,
  before: readonly (readonly number[])[],
  after: readonly (readonly number[])[],
): Occurrences {
  const count = (texts: readonly (readonly number[])[]) => texts.flat().filter((id) => tokens.has(id)).length;
  const [old, now] = [count(before), count(after)];
  return { before: old, after: now, rate: { before: old / before.flat().length, after: now / after.flat().length } };
}

/** The text in stretches with and without edited tokens; an end of text is shown where that was edited. */
function markedPieces(
  tokenizer: Tokenizer,
  {
    opening,
    written,
    marked,
    endOfText,
  }: {
    opening: readonly number[];
    written: readonly number[];
    marked: ReadonlySet<number>;
    endOfText: ReadonlySet<number>;
  },
): GeneratedPiece[] {
  const ended = endOfText.has(written.at(-1) ?? -1);
  const stream = textPieces(tokenizer, opening);
  const whole = [...written.slice(0, ended ? -1 : undefined).map((id) => stream.push(id)), stream.end()];
  const pieces = whole.flatMap((piece) =>
    piece === undefined || piece.text === ""
      ? []
      : [{ text: piece.text, edited: piece.ids.some((id) => marked.has(id)) }],
  );
  if (ended && marked.has(written.at(-1)!)) pieces.push({ text: tokenizer.tokenText(written.at(-1)!), edited: true });
  const joined: GeneratedPiece[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    if (last === undefined || last.edited || piece.edited) joined.push(piece);
    else joined[joined.length - 1] = { text: last.text + piece.text, edited: false };
  }
  return joined;
}
