import { inOrder } from "../../engine/in-order.js";
import { permutation, seededRandom } from "../../linalg/random.js";
import type { ContextRows, StoredContexts } from "../../model/contexts/stored-contexts.js";
import type { Model } from "../../model/model.js";
import { memoryStore } from "../../model/pass/row-store.js";

/** A text as tokens in windows. */
export type TextTokens = Pick<StoredContexts, "tokenIds" | "windowStarts">;

/** Tokens put behind a context of a text. */
export interface Splice {
  readonly before: Int32Array;
  readonly sequence: readonly number[];
}

/** The contexts of texts that something was put into, text after text. */
export interface SplicedContexts extends ContextRows {
  /** 1 where one of the sequences asked for ends, [N]. */
  readonly marked: Uint8Array;
  /** The last context of each text, in the order of the texts. */
  readonly last: Int32Array;
}

/** 1 at each place of a text where one of the sequences ends, [N]; none reaches over a window's beginning. */
export function endsOf({ tokenIds, windowStarts }: TextTokens, sequences: readonly (readonly number[])[]): Uint8Array {
  const marked = new Uint8Array(tokenIds.length);
  for (let w = 0; w + 1 < windowStarts.length; w++) {
    for (let t = windowStarts[w]!; t < windowStarts[w + 1]!; t++) {
      const endsHere = (sequence: readonly number[]) => {
        const start = t + 1 - sequence.length;
        return start >= windowStarts[w]! && sequence.every((id, i) => tokenIds[start + i] === id);
      };
      if (sequences.some(endsHere)) marked[t] = 1;
    }
  }
  return marked;
}

/**
 * What stands before places of a text that are drawn at random, each once as long as there are others.
 * @param length tokens before a place at most  @param shortened share of them that have fewer, as many as a draw says
 */
export function beginningsIn(
  { tokenIds, windowStarts }: TextTokens,
  count: number,
  length: number,
  seed: number,
  shortened = 0,
): Int32Array[] {
  const random = seededRandom(seed);
  const order = permutation(tokenIds.length, random);
  const startOf = new Int32Array(tokenIds.length);
  for (let w = 0; w + 1 < windowStarts.length; w++)
    startOf.fill(windowStarts[w]!, windowStarts[w], windowStarts[w + 1]);
  return Array.from({ length: count }, (_, i) => {
    const t = order[i % order.length]!;
    const before = random() < shortened ? Math.floor(random() * length) : length;
    return tokenIds.slice(Math.max(startOf[t]!, t + 1 - before), t + 1);
  });
}

/**
 * What the head multiplies where tokens are put behind beginnings: in the last contexts of each beginning and in all behind it.
 * @param marks sequences whose ends are marked  @param kept contexts of each beginning that are kept
 */
export async function splicedContexts(
  model: Model,
  splices: readonly Splice[],
  marks: readonly (readonly number[])[],
  kept = 1,
  signal?: AbortSignal | undefined,
): Promise<SplicedContexts> {
  const longest = model.maxPositions ?? Number.POSITIVE_INFINITY;
  const texts = splices.map(({ before, sequence }, index) => {
    const room = Math.max(1, longest - sequence.length);
    const beginning = before.subarray(Math.max(0, before.length - room));
    const window = Int32Array.from([...beginning, ...sequence]);
    return { index, window, from: Math.max(0, beginning.length - kept) };
  });
  // Windows of one length are run side by side.
  texts.sort((a, b) => a.window.length - b.window.length || a.index - b.index);
  const d = model.hiddenSize;
  const store = memoryStore();
  const marked: number[] = [];
  const last = new Int32Array(texts.length);
  let next = 0;
  const pass = await model.pass(windowsOf(texts), { signal });
  try {
    const batches = inOrder(pass.batches, model.engine.threads + 1, async (part) => ({
      part,
      hidden: await pass.hiddenOf(part),
    }));
    for await (const { part, hidden } of batches) {
      signal?.throwIfAborted();
      for (let i = 0; i < part.count; i++) {
        const { window, from, index } = texts[next++]!;
        await store.append(hidden.subarray((i * part.length + from) * d, (i + 1) * part.length * d));
        const ends = endsOf({ tokenIds: window, windowStarts: Int32Array.of(0, window.length) }, marks);
        for (const mark of ends.subarray(from)) marked.push(mark);
        last[index] = marked.length - 1;
      }
    }
  } finally {
    await pass.release();
  }
  return {
    ...{ count: marked.length, hiddenSize: d, marked: Uint8Array.from(marked), last },
    read: (start, end) => store.read(start * d, end * d),
    release: () => store.release(),
  };
}

async function* windowsOf(texts: readonly { readonly window: Int32Array }[]): AsyncGenerator<Int32Array> {
  for (const { window } of texts) yield window;
}
