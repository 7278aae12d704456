import type { StatePlace } from "./state-place.js";
import { type Windows, windowBatches } from "./window-batches.js";

/** Windows of a text on their way through a model's layers. */
export interface TextPass {
  /** The windows in their order, side by side where they have one length. */
  readonly batches: AsyncIterable<Windows>;
  /** What the head multiplies in the contexts of one of the batches, float32 [count, length, d]. */
  hiddenOf(batch: Windows): Promise<Float32Array>;
  /** Frees what was kept for it. */
  release(): Promise<void>;
}

/** Where a pass begins, and where it keeps what it must. */
export interface PassOptions {
  /** Windows at the beginning of which nothing is wanted any more. Default 0. */
  readonly skip?: number | undefined;
  /** Where hidden states lie between parts, for models whose layers take turns. Default: as the model was opened. */
  readonly place?: StatePlace | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Runs windows through a model's layers: they are computed when they are asked for, or all before. */
export type PassWindows = (windows: AsyncIterable<Int32Array>, options?: PassOptions) => Promise<TextPass>;

/** A pass through layers that are in memory together. */
export function wholePass(hiddenOf: TextPass["hiddenOf"]): PassWindows {
  return async (windows, { skip = 0 } = {}) => ({
    batches: windowBatches(behind(windows, skip)),
    hiddenOf,
    release: async () => {},
  });
}

/** All but the first. */
async function* behind<Item>(items: AsyncIterable<Item>, count: number): AsyncGenerator<Item> {
  let index = 0;
  for await (const item of items) if (index++ >= count) yield item;
}
