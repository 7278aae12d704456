import { InputError } from "../errors.js";
import { type Random, randomStream } from "../linalg/random.js";
import type { Model } from "../model/model.js";
import { type Batch, type Decoder, openDecoder, someTexts } from "./decoder.js";
import { checkSampling, choose, type Sampling } from "./sampling.js";

/** z of a head: hidden states [n, d] to logits [n, V]. */
export type Logits = (hidden: Float32Array) => Promise<Float32Array>;

/** A text to go on with. */
export interface Opening {
  /** Token ids, at least one. */
  readonly ids: readonly number[];
  /** The random numbers that its tokens are drawn with. */
  readonly random: Random;
}

export interface Continuation {
  /** What was written, the end-of-text token included where one was. */
  readonly ids: readonly number[];
  /** Why it stopped: an end-of-text token, or as many tokens as were asked for. */
  readonly finish: "end" | "length";
  /** How often the text filled the model's positions and went on from its last half. */
  readonly restarts: number;
}

export interface ContinueOptions extends Sampling {
  readonly maxTokens: number;
  /** Ids that end a text. */
  readonly endOfText: ReadonlySet<number>;
  /** How many texts to read side by side. Default: as many as fit in the cache's room. */
  readonly batchSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told of each token when it is drawn. @param opening its number */
  readonly onToken?: ((opening: number, id: number) => void) | undefined;
}

/** Room for the keys and values of all batches under way, and the most texts side by side. */
const maxCacheBytes = 512 * 2 ** 20;
const maxBatch = 32;

/** Random numbers of the n-th sample of a prompt, the same whatever else is written beside it. */
export function sampleRandom(seed: number, prompt: number, sample: number): Random {
  if (!Number.isSafeInteger(seed)) throw new InputError("seed", `is ${seed}; a whole number below 2^53 is wanted`);
  return randomStream(seed, prompt, sample);
}

/**
 * Goes on with texts, token by token.
 * @throws InputError if an opening is empty, too long or holds ids outside the vocabulary, an option makes no sense, or the
 *   model gives logits that are not finite
 */
export async function continueTexts(
  model: Model,
  openings: readonly Opening[],
  options: ContinueOptions,
): Promise<Continuation[]> {
  const oneAtATime = openings.length <= (options.batchSize ?? 1);
  const decoder = await openDecoder(model, { oneAtATime });
  try {
    return await continueWith(decoder, { model, logits: model.logits }, openings, options);
  } finally {
    await decoder.close();
  }
}

/** The same with layers that are open, and any head on them. */
export async function continueWith(
  decoder: Decoder,
  { model, logits }: { model: Model; logits: Logits },
  openings: readonly Opening[],
  options: ContinueOptions,
): Promise<Continuation[]> {
  checkSampling(options);
  if (!Number.isInteger(options.maxTokens) || options.maxTokens < 1) {
    throw new InputError("maxTokens", `is ${options.maxTokens}; a whole number above 0 is wanted`);
  }
  for (const { ids } of openings) checkOpening(model, ids);
  const rows = openings.map(({ ids, random }, index): Row => ({ index, read: [...ids], random, ids: [], restarts: 0 }));
  const size = batchSize(decoder, model, rows, options);
  const done: Continuation[] = [];
  let next = 0;
  const work = async () => {
    while (next < rows.length) {
      const batch = rows.slice(next, next + size);
      next += size;
      await continueBatch(decoder, { model, logits }, batch, options, (row, finish) => {
        done[row.index] = { ids: row.ids, finish, restarts: row.restarts };
      });
    }
  };
  await Promise.all(Array.from({ length: decoder.concurrency }, work));
  return done;
}

/** A text under way. */
interface Row {
  readonly index: number;
  /** Tokens that the layers have read since the last restart. */
  read: number[];
  readonly random: Random;
  readonly ids: number[];
  restarts: number;
}

async function continueBatch(
  decoder: Decoder,
  { model, logits }: { model: Model; logits: Logits },
  given: readonly Row[],
  options: ContinueOptions,
  finished: (row: Row, finish: Continuation["finish"]) => void,
): Promise<void> {
  let rows = given;
  let batch: Batch = await decoder.read(
    rows.map(({ read }) => read),
    options.signal,
  );
  for (;;) {
    options.signal?.throwIfAborted();
    const z = await logits(batch.hidden);
    options.signal?.throwIfAborted();
    const kept: number[] = [];
    rows.forEach((row, index) => {
      const ofRow = z.subarray(index * model.vocabSize, (index + 1) * model.vocabSize);
      requireFiniteLogits(model.name, ofRow, `${row.ids.length} tokens`);
      const id = choose(ofRow, options, row.random);
      row.ids.push(id);
      options.onToken?.(row.index, id);
      const ended = options.endOfText.has(id);
      if (ended || row.ids.length === options.maxTokens) finished(row, ended ? "end" : "length");
      else kept.push(index);
    });
    if (kept.length === 0) return;
    rows = kept.map((index) => rows[index]!);
    batch = await readOn(decoder, model, rows, someTexts(batch, kept), options.signal);
  }
}

/** Reads the last token of each row; from the beginning where the cache cannot be gone on with. */
async function readOn(
  decoder: Decoder,
  { maxPositions = Number.POSITIVE_INFINITY }: Model,
  rows: readonly Row[],
  batch: Batch,
  signal: AbortSignal | undefined,
): Promise<Batch> {
  const latest = rows.map(({ ids }) => ids.at(-1)!);
  let again = false;
  for (const row of rows) {
    row.read.push(row.ids.at(-1)!);
    if (row.read.length > maxPositions) {
      row.read = row.read.slice(-Math.ceil(maxPositions / 2));
      row.restarts++;
      again = true;
    } else if (decoder.mustReread(row.read.length)) again = true;
  }
  return again
    ? decoder.read(
        rows.map(({ read }) => read),
        signal,
      )
    : decoder.extend(batch, latest);
}

function batchSize(decoder: Decoder, model: Model, rows: readonly Row[], options: ContinueOptions): number {
  const { batchSize: asked, maxTokens } = options;
  if (asked !== undefined && !(Number.isInteger(asked) && asked > 0)) {
    throw new InputError("batchSize", `is ${asked}; a whole number above 0 is wanted`);
  }
  // Beside a longer text such a model sees other positions: each then is a batch of its own.
  if (decoder.dependsOnLength) return 1;
  const longest = rows.reduce((length, { read }) => Math.max(length, read.length), 0) + maxTokens;
  const places = Math.min(longest, model.maxPositions ?? longest);
  // Twice: while a pass runs there are the keys and values that it takes in and those that it puts out.
  const bytesPerRow = decoder.bytesPerToken * places + decoder.bytesPerText;
  const room = maxCacheBytes / (2 * bytesPerRow * decoder.concurrency);
  const share = Math.ceil(rows.length / decoder.concurrency);
  return asked ?? Math.max(1, Math.floor(Math.min(maxBatch, room, share)));
}

/** @throws InputError if a model cannot go on from these ids */
export function checkOpening(
  { name, vocabSize, maxPositions = Number.POSITIVE_INFINITY }: Model,
  ids: readonly number[],
): void {
  if (ids.length === 0) throw new InputError("prompt", "has no tokens");
  if (ids.length > maxPositions) {
    throw new InputError("prompt", `has ${ids.length} tokens; ${name} takes ${maxPositions}: give a shorter one`);
  }
  const bad = ids.findIndex((id) => !(Number.isInteger(id) && id >= 0 && id < vocabSize));
  if (bad >= 0) {
    throw new InputError("prompt", `id ${ids[bad]} at ${bad} is outside the vocabulary (0 to ${vocabSize - 1})`);
  }
}

/** @param where after what: "3 tokens" @throws InputError naming the first token whose logit is not finite */
export function requireFiniteLogits(modelName: string, z: Float32Array, where: string): void {
  let bad = 0;
  while (bad < z.length && Number.isFinite(z[bad])) bad++;
  if (bad === z.length) return;
  throw new InputError(modelName, `gives token ${bad} the logit ${z[bad]} after ${where}: nothing can be drawn`);
}
