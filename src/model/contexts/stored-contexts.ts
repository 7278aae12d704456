import { inOrder } from "../../engine/in-order.js";
import { untilAborted } from "../../engine/until-aborted.js";
import type { Model } from "../model.js";
import type { RowStore } from "../pass/row-store.js";
import type { TextPass } from "../pass/text-pass.js";

/** What the head multiplies in some contexts, to be read as often as needed. */
export interface ContextRows {
  /** N. */
  readonly count: number;
  readonly hiddenSize: number;
  /** h_t of contexts [start, end), float32 [end - start, d]. */
  read(start: number, end: number): Promise<Float32Array>;
  /** Frees the space. */
  release(): Promise<void>;
}

/** Some of them, to be read as if they were all; they are still the whole's to release. @param places ascending or not */
export function someContexts({ hiddenSize, read }: ContextRows, places: readonly number[]): ContextRows {
  return {
    ...{ count: places.length, hiddenSize },
    async read(start, end) {
      const rows = new Float32Array((end - start) * hiddenSize);
      for (let i = start; i < end; i++) rows.set(await read(places[i]!, places[i]! + 1), (i - start) * hiddenSize);
      return rows;
    },
    release: async () => {},
  };
}

/** The contexts of a text. */
export interface StoredContexts extends ContextRows {
  /** The token at each context, [N]. */
  readonly tokenIds: Int32Array;
  /** First context of each window, and N behind the last: [windows + 1]. */
  readonly windowStarts: Int32Array;
}

/**
 * Runs a text through the model's layers once and keeps what the head multiplies.
 * @param windows token ids of each window
 * @throws the signal's reason when it is aborted; the store is then released
 */
export async function storeContexts(
  model: Model,
  windows: AsyncIterable<Int32Array>,
  store: RowStore,
  {
    signal,
    onProgress,
  }: { signal?: AbortSignal | undefined; onProgress?: ((contexts: number) => void) | undefined } = {},
): Promise<StoredContexts> {
  const { hiddenSize } = model;
  const tokenIds: number[] = [];
  const windowStarts = [0];
  let pass: TextPass | undefined;
  try {
    pass = await model.pass(signal ? untilAborted(windows, signal) : windows, { signal });
    const { hiddenOf } = pass;
    const batches = inOrder(pass.batches, model.engine.threads + 1, async (part) => ({
      part,
      hidden: await hiddenOf(part),
    }));
    for await (const { part, hidden } of batches) {
      signal?.throwIfAborted();
      await store.append(hidden);
      for (const id of part.tokenIds) tokenIds.push(id);
      for (let window = 0; window < part.count; window++) windowStarts.push(windowStarts.at(-1)! + part.length);
      onProgress?.(tokenIds.length);
    }
  } catch (error) {
    await store.release();
    throw error;
  } finally {
    await pass?.release();
  }
  return {
    count: tokenIds.length,
    hiddenSize,
    tokenIds: Int32Array.from(tokenIds),
    windowStarts: Int32Array.from(windowStarts),
    read: (start, end) => store.read(start * hiddenSize, end * hiddenSize),
    release: () => store.release(),
  };
}
