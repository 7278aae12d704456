import { permutation, seededRandom } from "../../../linalg/random.js";
import { type StoredContexts, storeContexts } from "../../../model/contexts/stored-contexts.js";
import { type TokenNames, tokenNames } from "../../../model/head/token-names.js";
import type { Model } from "../../../model/model.js";
import { memoryStore, type RowStore } from "../../../model/pass/row-store.js";

/** Tokens that a text has fewer than this many times stand in its guard until they have been seen as often. */
const oftenEnough = 2;
/** Contexts of a guard at most, as a share of its text's, and however short the text is. */
const mostContexts = 1 / 10;
const shortestRoom = 2048;
/** How much all contexts of a guard count together, as a share of what the text's count. */
const mostWeight = 1 / 10;

/**
 * Factors below this are fitted without the guard. All that a ban leaves is in the contexts where the edit is weakest; kept from
 * those of the guard, it gets so large that it is off by more in text like the fitting text than it gains elsewhere.
 */
const leastGuarded = 1e-3;

/** Whether the guard is for edits with this factor: at the boundary whatever its last digits are. */
export const isGuardedScale = (scale: number): boolean => scale > leastGuarded * (1 - 1e-9);

export interface GuardOptions {
  /** Which tokens, where not all of them find room. Default 1. */
  readonly seed?: number | undefined;
  /** Where the hidden states are kept. Default: memory. */
  readonly store?: RowStore | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Contexts that a text lacks: those after the tokens that it does not hold, or hardly. There a fit to the text leaves an edit
 * free, and what it makes of that freedom can be the opposite of what was wanted. The tokens stand in every second place of
 * the text's own windows; what else is in a context is the text's. Of large vocabularies only as many find room as are a tenth
 * of the text's contexts, or 2,048: pieces of characters first, for they follow one another where a text has letters of its own.
 * @returns undefined where the text holds every token that the tokenizer produces
 */
export async function guardContexts(
  model: Model,
  text: Pick<StoredContexts, "count" | "tokenIds" | "windowStarts">,
  { seed = 1, store = memoryStore(), signal }: GuardOptions = {},
): Promise<StoredContexts | undefined> {
  const room = Math.max(shortestRoom, Math.floor(text.count * mostContexts));
  const names = await tokenNames(model);
  const vocabSize = Math.min(model.vocabSize, names.vocabSize);
  const ids = rareTokens(text.tokenIds, { ...names, vocabSize }, room, seed);
  const windows = ids.length > 0 ? windowsAround(ids, text) : [];
  if (windows.length === 0) {
    await store.release();
    return undefined;
  }
  const all = await storeContexts(model, asStream(windows), store, { signal });
  const { hiddenSize: d } = all;
  return {
    count: ids.length,
    hiddenSize: d,
    tokenIds: ids,
    windowStarts: all.windowStarts.map((start) => start / 2),
    async read(start, end) {
      const pairs = await all.read(2 * start, 2 * end);
      const rows = new Float32Array((end - start) * d);
      for (let i = 0; i < end - start; i++) rows.set(pairs.subarray((2 * i + 1) * d, (2 * i + 2) * d), i * d);
      return rows;
    },
    release: all.release,
  };
}

/** How much each context of a guard counts in a mean over the text's N. */
export const guardWeight = (textCount: number, guardCount: number): number =>
  Math.min(1, (textCount * mostWeight) / guardCount) / textCount;

/**
 * Tokens that a text has too few of, each as often as it lacks: first those that it does not hold at all, once each.
 * @returns at most `room` ids, in random order within each round; where not all find room, pieces of characters come first
 */
export function rareTokens(
  tokenIds: Int32Array,
  { vocabSize, produces, tokenText }: TokenNames,
  room: number,
  seed: number,
): Int32Array {
  const counts = new Int32Array(vocabSize);
  for (const id of tokenIds) if (id < vocabSize) counts[id]!++;
  const random = seededRandom(seed);
  const rounds = Array.from({ length: oftenEnough }, (_, round) => {
    const lacking = Array.from(counts.keys()).filter((id) => counts[id]! <= round && produces(id));
    return Array.from(permutation(lacking.length, random), (place) => lacking[place]!);
  });
  const all = rounds.flat();
  if (all.length <= room) return Int32Array.from(all);
  const isPiece = (id: number) => tokenText(id).includes("\ufffd");
  const pieces = rounds[0]!.filter(isPiece);
  const known = new Set(pieces);
  const others = rounds[0]!.filter((id) => !known.has(id));
  return Int32Array.from([pieces, others, ...rounds.slice(1)].flat().slice(0, room));
}

/** The windows of a text over again, until each id has stood at an odd place of one; each window ends with such a place. */
export function windowsAround(
  ids: Int32Array,
  { tokenIds, windowStarts }: Pick<StoredContexts, "tokenIds" | "windowStarts">,
): Int32Array[] {
  const count = windowStarts.length - 1;
  const usable = Array.from({ length: count }, (_, w) =>
    tokenIds.subarray(windowStarts[w]!, windowStarts[w + 1]!),
  ).filter((window) => window.length > 1);
  const windows: Int32Array[] = [];
  for (let next = 0; next < ids.length && usable.length > 0; ) {
    const original = usable[windows.length % usable.length]!;
    const pairs = Math.min(Math.floor(original.length / 2), ids.length - next);
    const window = original.slice(0, 2 * pairs);
    for (let i = 0; i < pairs; i++) window[2 * i + 1] = ids[next++]!;
    windows.push(window);
  }
  return windows;
}

async function* asStream(windows: readonly Int32Array[]): AsyncGenerator<Int32Array> {
  yield* windows;
}
