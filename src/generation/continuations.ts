import { InputError } from "../errors.js";
import { type Random, randomStream } from "../linalg/random.js";
import type { Model } from "../model/model.js";
import { type BannedDrawing, bannedDrawer, type Watch } from "./bans/banned-drawer.js";
import { type Batch, type Decoder, openDecoder, someTexts } from "./decoder.js";
import { type Drawer, plainDrawer } from "./drawer.js";
import { checkSampling, type Sampling } from "./sampling.js";

/** z of a head: hidden states [n, d] to logits [n, V]. */
export type Logits = (hidden: Float32Array) => Promise<Float32Array>;

/** A text to go on with. */
export interface Opening {
  /** Token ids, at least one. */
  readonly ids: readonly number[];
  /** The random numbers that its tokens are drawn with. */
  readonly random: Random;
  /** Knows what the text must not say. */
  readonly watch?: Watch | undefined;
}

export interface Continuation {
  /** What was written, the end-of-text token included where one was. */
  readonly ids: readonly number[];
  /** Why it stopped: an end-of-text token, as many tokens as were asked for, or nothing that may follow. */
  readonly finish: "end" | "length" | "banned";
  /** How often the text filled the model's positions and went on from its last half. */
  readonly restarts: number;
  /** Tokens that were written and taken back, since they led to something banned. */
  readonly withdrawn: number;
  /** How often the layers read something of it: once for the prompt and once for each token but the last, where nothing is taken back. */
  readonly calls: number;
}

export interface ContinueOptions extends Sampling {
  readonly maxTokens: number;
  /** Ids that end a text. */
  readonly endOfText: ReadonlySet<number>;
  /** How many texts to read side by side. Default: as many as fit in the cache's room. */
  readonly batchSize?: number | undefined;
  /** How texts keep clear of what their watches forbid. */
  readonly drawing?: BannedDrawing | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told of each token as soon as it stays whatever comes. @param opening its number */
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
  const rows = openings.map((opening, index) => beginRow(index, opening, model, options));
  const size = batchSize(decoder, model, rows, options);
  const done: Continuation[] = [];
  let next = 0;
  const work = async () => {
    while (next < rows.length) {
      const batch = rows.slice(next, next + size);
      next += size;
      await continueBatch(decoder, { model, logits }, batch, options, (row, finish) => {
        const { ids, restarts, calls, drawer } = row;
        done[row.index] = { ids, finish, restarts, withdrawn: drawer.withdrawn, calls };
      });
    }
  };
  await Promise.all(Array.from({ length: decoder.concurrency }, work));
  return done;
}

/** A text under way. */
interface Row {
  readonly index: number;
  readonly opening: readonly number[];
  /** Tokens that the layers have read since the last restart. */
  read: number[];
  readonly drawer: Drawer;
  readonly ids: number[];
  /** Tokens that were told of. */
  told: number;
  restarts: number;
  calls: number;
}

function beginRow(index: number, opening: Opening, { maxPositions }: Model, options: ContinueOptions): Row {
  const { ids, random, watch } = opening;
  const drawing = options.drawing && { ...options.drawing, lag: possibleLag(options.drawing.lag, maxPositions) };
  const drawer = watch && drawing ? bannedDrawer(watch, drawing, options, random) : plainDrawer(options, random);
  return { index, opening: ids, read: [...ids], drawer, ids: [], told: 0, restarts: 0, calls: 1 };
}

/** A text that fills the model's positions goes on from its last half: what is taken back has to lie in that. */
function possibleLag(lag: number, maxPositions = Number.POSITIVE_INFINITY): number {
  return Math.max(0, Math.min(lag, Math.floor(maxPositions / 2) - 1));
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
    const back: number[] = [];
    rows.forEach((row, index) => {
      const ofRow = z.subarray(index * model.vocabSize, (index + 1) * model.vocabSize);
      requireFiniteLogits(model.name, ofRow, `${row.ids.length} tokens`);
      const next = drawNext(row, ofRow, options);
      if (next.finish !== undefined) {
        finished(row, next.finish);
      } else {
        kept.push(index);
        back.push(next.back);
      }
    });
    if (kept.length === 0) return;
    rows = kept.map((index) => rows[index]!);
    batch = await readOn(decoder, model, rows, { batch: someTexts(batch, kept), back }, options.signal);
  }
}

/** Draws a text's next token, and tells of those that stay. */
function drawNext(
  row: Row,
  z: Float32Array,
  { endOfText, maxTokens, onToken }: ContinueOptions,
): { back: number; finish: Continuation["finish"] | undefined } {
  const { ids } = row;
  const { back, id, settled } = row.drawer.draw(z);
  ids.length -= back;
  if (id !== undefined) ids.push(id);
  const full = ids.length === maxTokens;
  const finish = id === undefined ? "banned" : endOfText.has(id) ? "end" : full ? "length" : undefined;
  const stays = finish === undefined ? settled : ids.length;
  for (; row.told < stays; row.told++) onToken?.(row.index, ids[row.told]!);
  return { back, finish };
}

/**
 * Reads the last token of each row; from the beginning where the cache cannot be gone on with.
 * @param state what was read, and how many of each row's tokens in it are taken back
 */
async function readOn(
  decoder: Decoder,
  { maxPositions = Number.POSITIVE_INFINITY }: Model,
  rows: readonly Row[],
  { batch, back }: { batch: Batch; back: readonly number[] },
  signal: AbortSignal | undefined,
): Promise<Batch> {
  const latest = rows.map(({ ids }) => ids.at(-1)!);
  const shorter = decoder.goBack(batch, back);
  let again = shorter === undefined;
  rows.forEach((row, index) => {
    row.calls++;
    row.read.length -= Math.min(back[index]!, row.read.length);
    if (row.restarts > 0 && row.ids.length === 1) {
      // Begun again: the half that it went on from is none of it.
      row.read = [...row.opening];
      again = true;
    }
    row.read.push(row.ids.at(-1)!);
    if (row.read.length > maxPositions) {
      row.read = row.read.slice(-Math.ceil(maxPositions / 2));
      row.restarts++;
      again = true;
    } else if (decoder.mustReread(row.read.length)) again = true;
  });
  return again || shorter === undefined
    ? decoder.read(
        rows.map(({ read }) => read),
        signal,
      )
    : decoder.extend(shorter, latest);
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
  // Of what may be taken back the distributions are kept.
  const kept = options.drawing === undefined ? 0 : 8 * model.vocabSize * (options.drawing.lag + 1);
  const bytesPerRow = decoder.bytesPerToken * places + decoder.bytesPerText + kept;
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
