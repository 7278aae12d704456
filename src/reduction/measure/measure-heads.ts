import { float32Output } from "../../engine/engine.js";
import type { Graph } from "../../engine/graph.js";
import { inOrder } from "../../engine/in-order.js";
import { InputError } from "../../errors.js";
import { quantile } from "../../measures/context-values.js";
import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import { isTransformed } from "../../model/head/head.js";
import type { HeadModel } from "../../model/head/head-model.js";
import type { ReducedHead } from "../../model/head/reduced-head.js";
import { type ChainHead, chainGraph, pointsOfChain } from "./chain-graph.js";
import { measureGraph } from "./measure-graph.js";
import type { MeasureOptions } from "./measure-head.js";
import { nextTokensOf } from "./measure-reduced.js";
import { measureNames } from "./point-graph.js";

/** Of one reduced head over the contexts, nats; JS over an eighth of them. */
export interface PointMeasures {
  readonly kl: number;
  readonly js: number;
  readonly jsPercentile95: number;
  readonly top1: number;
  readonly perplexity: number;
}

/** The model whose stored contexts are measured: its head and name, and what multiplies. */
export type MeasuredModel = Pick<HeadModel, "engine" | "head" | "name">;

/** JS takes twice as long as all else: it is measured in every so manieth block. */
const jsEvery = 8;
/** V-wide numbers held for one head at once, so that they stay in cache; in blocks of fewer rows products are slow. */
const blockNumbers = 2 ** 20;
const [minBlockRows, maxBlockRows] = [32, 128];

/**
 * Holds several reduced heads against the original in one pass over stored contexts.
 * @returns in the order of the heads
 * @throws InputError if logits are not finite
 */
export async function measureHeads(
  subject: MeasuredModel,
  reduced: readonly ReducedHead[],
  contexts: StoredContexts,
  options: MeasureOptions = {},
): Promise<PointMeasures[]> {
  const graphOf = (js: boolean) => measureGraph(subject.head, subject.engine, reduced, { js });
  const measures = await measurePoints(subject, reduced.length, graphOf, contexts, options);
  return finite(measures, subject.name);
}

/**
 * Holds chains at all their sizes against the original in one pass over stored contexts.
 * @returns of each chain, of each of its sizes, then of each size with each m
 * @throws InputError if logits are not finite
 */
export async function measureChains(
  subject: MeasuredModel,
  chains: readonly ChainHead[],
  contexts: StoredContexts,
  options: MeasureOptions = {},
): Promise<PointMeasures[][]> {
  const count = chains.reduce((sum, chain) => sum + pointsOfChain(chain), 0);
  const measured = (peaks: boolean) => {
    const graphOf = (js: boolean) => chainGraph(subject.head, subject.engine, chains, { js, peaks });
    return measurePoints(subject, count, graphOf, contexts, options);
  };
  let measures = await measured(isTransformed(subject.head));
  if (!isTransformed(subject.head) && !measures.every(isKnown)) measures = await measured(true);
  const all = finite(measures, subject.name);
  return chains.map((chain) => all.splice(0, pointsOfChain(chain)));
}

const isKnown = ({ kl }: PointMeasures): boolean => Number.isFinite(kl);

function finite(measures: PointMeasures[], name: string): PointMeasures[] {
  if (!measures.every(isKnown)) {
    throw new InputError(name, "its logits or those of the reduced head are not finite; weights overflow float32");
  }
  return measures;
}

/** @param graphOf a graph of `pointGraph` that measures so many reduced heads, with or without JS */
async function measurePoints(
  { engine, head }: MeasuredModel,
  count: number,
  graphOf: (js: boolean) => Graph,
  contexts: StoredContexts,
  { signal, onProgress, range = { start: 0, end: contexts.count } }: MeasureOptions,
): Promise<PointMeasures[]> {
  const { vocabSize, hiddenSize: d } = head;
  const { ids, counts } = nextTokensOf(contexts);
  const blockRows = Math.max(minBlockRows, Math.min(maxBlockRows, Math.floor(blockNumbers / vocabSize)));
  async function* blocks() {
    for (let start = range.start; start < range.end; start += blockRows) {
      yield { start, end: Math.min(start + blockRows, range.end) };
    }
  }
  const sums = Array.from({ length: count }, () => ({ kl: 0, js: [] as number[], agreeing: 0, logProbability: 0 }));
  let predicted = 0;
  const plain = await engine.load(graphOf(false));
  const withJs = await engine.load(graphOf(true));
  try {
    const measured = inOrder(blocks(), 2 * plain.concurrency, async ({ start, end }) => {
      const rows = end - start;
      const next = BigInt64Array.from(ids.subarray(start, end), BigInt);
      const hasJs = ((start - range.start) / blockRows) % jsEvery === 0;
      const outputs = await (hasJs ? withJs : plain).run({
        hidden: { type: "float32", data: await contexts.read(start, end), dims: [rows, d] },
        next_token: { type: "int64", data: next, dims: [rows, 1] },
      });
      return { start, rows, hasJs, measures: float32Output(outputs, "measures") };
    });
    for await (const { start, rows, hasJs, measures } of measured) {
      signal?.throwIfAborted();
      const columns = measureNames.length - (hasJs ? 0 : 1);
      for (let t = 0; t < rows; t++) {
        const counted = counts[start + t] === 1;
        if (counted) predicted++;
        for (const [r, sum] of sums.entries()) {
          const at = (t * count + r) * columns;
          sum.agreeing += measures[at]!;
          if (counted) sum.logProbability += measures[at + 1]!;
          sum.kl += measures[at + 2]!;
          if (hasJs) sum.js.push(measures[at + 3]!);
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
    const rising = Float32Array.from(js).sort();
    return {
      kl: Number.isNaN(kl) ? kl : Math.max(0, kl / n),
      js: Math.max(0, js.reduce((sum, value) => sum + value, 0) / js.length),
      jsPercentile95: Math.max(0, quantile(rising, 0.95)),
      top1: agreeing / n,
      perplexity: Math.exp(-logProbability / predicted),
    };
  });
}
