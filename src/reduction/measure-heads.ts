import { float32Output } from "../engine/engine.js";
import { inOrder } from "../engine/in-order.js";
import { InputError } from "../errors.js";
import type { HeadModel } from "../model/head-model.js";
import type { StoredContexts } from "../model/stored-contexts.js";
import { measureGraph } from "./measure-graph.js";
import type { MeasureOptions } from "./measure-head.js";
import { nextTokensOf } from "./measure-reduced.js";
import type { ReducedHead } from "./orders.js";

/** Means over the contexts, nats; JS over an eighth of them. */
export interface MeanMeasures {
  readonly kl: number;
  readonly js: number;
  readonly top1: number;
  readonly perplexity: number;
}

/** JS takes twice as long as all else: it is the mean over every so manieth block. */
const jsEvery = 8;
/** V-wide numbers held for one head at once, so that they stay in cache; in blocks of fewer rows products are slow. */
const blockNumbers = 2 ** 18;
const [minBlockRows, maxBlockRows] = [32, 128];

/**
 * Holds several reduced heads against the original in one pass over stored contexts.
 * @returns in the order of the heads
 * @throws InputError if logits are not finite
 */
export async function measureHeads(
  { engine, head, name }: Pick<HeadModel, "engine" | "head" | "name">,
  reduced: readonly ReducedHead[],
  contexts: StoredContexts,
  { signal, onProgress, range = { start: 0, end: contexts.count } }: MeasureOptions = {},
): Promise<MeanMeasures[]> {
  const { vocabSize, hiddenSize: d } = head;
  const { ids, counts } = nextTokensOf(contexts);
  const blockRows = Math.max(minBlockRows, Math.min(maxBlockRows, Math.floor(blockNumbers / vocabSize)));
  async function* blocks() {
    for (let start = range.start; start < range.end; start += blockRows) {
      yield { start, end: Math.min(start + blockRows, range.end) };
    }
  }
  const sums = reduced.map(() => ({ kl: 0, js: 0, agreeing: 0, logProbability: 0 }));
  let [predicted, jsContexts] = [0, 0];
  const plain = await engine.load(measureGraph(head, reduced, { js: false }));
  const withJs = await engine.load(measureGraph(head, reduced, { js: true }));
  try {
    const measured = inOrder(blocks(), 2 * plain.concurrency, async ({ start, end }) => {
      const rows = end - start;
      const next = BigInt64Array.from(ids.subarray(start, end), BigInt);
      const session = ((start - range.start) / blockRows) % jsEvery === 0 ? withJs : plain;
      const outputs = await session.run({
        hidden: { type: "float32", data: await contexts.read(start, end), dims: [rows, d] },
        next_token: { type: "int64", data: next, dims: [rows, 1] },
      });
      return { start, rows, outputs };
    });
    for await (const { start, rows, outputs } of measured) {
      signal?.throwIfAborted();
      const [kl, next, agrees] = ["kl", "next", "agrees"].map((output) => float32Output(outputs, output));
      const js = outputs.js && float32Output(outputs, "js");
      if (js) jsContexts += rows;
      const R = reduced.length;
      for (let t = 0; t < rows; t++) {
        const counted = counts[start + t] === 1;
        if (counted) predicted++;
        for (const [r, sum] of sums.entries()) {
          sum.kl += kl![t * R + r]!;
          if (js) sum.js += js[t * R + r]!;
          sum.agreeing += agrees![t * R + r]!;
          if (counted) sum.logProbability += next![t * (R + 1) + r + 1]!;
        }
      }
      onProgress?.(start + rows - range.start);
    }
  } finally {
    await plain.release();
    await withJs.release();
  }
  const n = range.end - range.start;
  return sums.map(({ kl, js, agreeing, logProbability }) => {
    if (!Number.isFinite(kl)) {
      throw new InputError(name, "its logits or those of the reduced head are not finite; weights overflow float32");
    }
    return {
      kl: Math.max(0, kl / n),
      js: Math.max(0, js / jsContexts),
      top1: agreeing / n,
      perplexity: Math.exp(-logProbability / predicted),
    };
  });
}
