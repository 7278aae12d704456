import { randomStream } from "../../linalg/random.js";
import { quantile } from "../../measures/context-values.js";
import { groupCount } from "../../statistics/head-statistics.js";
import type { R2Interval, R2Point, R2Uncertainty } from "../analysis.js";
import { type RefitInput, refitR2 } from "./refits.js";

const level = 0.95;
const resamples = 200;

/**
 * How far the R2 of a fit depends on the windows of text that were used: a bootstrap interval over 16 groups of windows, and
 * R2 on less text (docs/numbers.md). Both refit on E what the windows chosen give for alpha.
 * @param r2 of the fit on all windows
 */
export async function r2Uncertainty(input: RefitInput, r2: number, seed: number): Promise<R2Uncertainty> {
  const { contexts } = input.groups;
  const used = Array.from(contexts.keys()).filter((group) => contexts[group]! > 0);
  const subsets = growingSubsets(used);
  const drawn = used.length === groupCount ? bootstrapWeights(seed) : [];
  const values = await refitR2(input, [...drawn, ...subsets.flat()]);
  const r2Interval = percentileInterval(values.slice(0, drawn.length));
  const r2Curve = subsets.flatMap((weights, k): R2Point[] => {
    const start = drawn.length + subsets.slice(0, k).flat().length;
    const point = curvePoint(values.slice(start, start + weights.length), weights, contexts);
    return point === undefined ? [] : [point];
  });
  const total = contexts.reduce((sum, count) => sum + count, 0);
  return { r2Interval, r2Curve: [...r2Curve, { contexts: total, r2, low: r2, high: r2, subsets: 1 }] };
}

/** Choices of as many groups as there are, with replacement. */
function bootstrapWeights(seed: number): Float64Array[] {
  const random = randomStream(seed, groupCount);
  return Array.from({ length: resamples }, () => {
    const weights = new Float64Array(groupCount);
    for (let draw = 0; draw < groupCount; draw++) weights[Math.floor(random() * groupCount)]! += 1;
    return weights;
  });
}

/** Disjoint sets of 1, of 2, of 4 ... of the groups, fewer than all. */
function growingSubsets(used: readonly number[]): Float64Array[][] {
  const sizes: number[] = [];
  for (let size = 1; size < used.length; size *= 2) sizes.push(size);
  return sizes.map((size) =>
    Array.from({ length: Math.floor(used.length / size) }, (_, set) => {
      const weights = new Float64Array(groupCount);
      for (const group of used.slice(set * size, (set + 1) * size)) weights[group] = 1;
      return weights;
    }),
  );
}

function percentileInterval(values: Float64Array): R2Interval | undefined {
  if (values.length === 0 || !values.every(Number.isFinite)) return undefined;
  const rising = values.sort();
  const [low, high] = [quantile(rising, (1 - level) / 2), quantile(rising, (1 + level) / 2)];
  return { low, high, level, groups: groupCount, resamples };
}

function curvePoint(values: Float64Array, weights: Float64Array[], contexts: Float64Array): R2Point | undefined {
  if (!values.every(Number.isFinite)) return undefined;
  const used = weights.map((weight) => contexts.reduce((sum, count, group) => sum + count * weight[group]!, 0));
  const mean = (numbers: Iterable<number>) => [...numbers].reduce((sum, value) => sum + value, 0) / weights.length;
  return {
    contexts: Math.round(mean(used)),
    r2: mean(values),
    low: Math.min(...values),
    high: Math.max(...values),
    subsets: weights.length,
  };
}
