import { expect, test } from "vitest";
import { seededRandom } from "../../linalg/random.js";
import { emptyStatistics, type HeadStatistics } from "../../statistics/head-statistics.js";
import { matrix } from "../../tensor/matrix.js";
import type { R2Uncertainty } from "../analysis.js";
import { fitEncodingWithMoments } from "../fit-encoding.js";
import { fitWarnings } from "./fit-warnings.js";
import { r2Uncertainty } from "./r2-uncertainty.js";
import { refitR2 } from "./refits.js";

const V = 120;
const d = 5;

/** Groups of windows with probabilities of their own, and an embedding whose last column may depend on the others. */
async function example({ used = 16, dependent = false } = {}) {
  const random = seededRandom(3);
  const statistics = emptyStatistics(V, d);
  const { groups } = statistics;
  for (let g = 0; g < used; g++) {
    const contexts = 3 + (g % 4);
    groups.contexts[g] = contexts;
    const p = Float64Array.from({ length: V }, () => Math.exp(-4 * random()));
    const total = p.reduce((sum, value) => sum + value, 0);
    for (let w = 0; w < V; w++) {
      groups.sumProbability[g * V + w] = (contexts * p[w]!) / total;
      statistics.sumProbability[w]! += (contexts * p[w]!) / total;
    }
    statistics.contexts += contexts;
  }
  const data = Float32Array.from({ length: V * d }, () => 30 + random());
  if (dependent) for (let w = 0; w < V; w++) data[w * d + 4] = 2 * data[w * d]!;
  const embedding = matrix(V, d, data);
  const tokenIds = Int32Array.from({ length: V - 10 }, (_, i) => i + 7);
  const alphaOf = (weights: Float64Array) => {
    const contexts = weights.reduce((sum, weight, g) => sum + weight * groups.contexts[g]!, 0);
    return Float64Array.from({ length: V }, (_, w) =>
      weights.reduce((sum, weight, g) => sum + (weight * groups.sumProbability[g * V + w]!) / contexts, 0),
    );
  };
  const regressed = (weights: Float64Array) =>
    fitEncodingWithMoments({ embedding, tokenIds, meanProbability: alphaOf(weights) });
  const { encoding, regression } = await regressed(new Float64Array(16).fill(1));
  return { input: { embedding, tokenIds, leastSquares: regression.leastSquares, groups }, encoding, regressed };
}

test.each([false, true])(
  "R2 of some windows is what a regression on them gives (dependent columns: %s)",
  async (dependent) => {
    const { input, encoding, regressed } = await example({ dependent });
    const random = seededRandom(9);
    const weights = Array.from({ length: 6 }, () => Float64Array.from({ length: 16 }, () => Math.floor(3 * random())));
    const [all, ...values] = await refitR2(input, [new Float64Array(16).fill(1), ...weights]);
    expect(all).toBeCloseTo(encoding.r2, 11);
    for (const [i, value] of values.entries()) {
      expect(value).toBeCloseTo((await regressed(weights[i]!)).encoding.r2, 11);
    }
  },
);

test("the interval holds 95% of refits on drawn groups; the curve ends with the fit; a seed gives the same", async () => {
  const { input, encoding } = await example();
  const { r2Interval, r2Curve } = await r2Uncertainty(input, encoding.r2, 5);
  expect(r2Interval).toMatchObject({ level: 0.95, groups: 16, resamples: 200 });
  expect(r2Interval!.low).toBeLessThan(r2Interval!.high);
  expect(r2Curve.map(({ subsets }) => subsets)).toEqual([16, 8, 4, 2, 1]);
  expect(r2Curve.map(({ contexts }) => contexts)).toEqual([5, 9, 18, 36, 72]);
  expect(r2Curve.at(-1)).toEqual({ contexts: 72, r2: encoding.r2, low: encoding.r2, high: encoding.r2, subsets: 1 });
  for (const { low, r2, high } of r2Curve) expect(low <= r2 && r2 <= high).toBe(true);
  expect((await r2Uncertainty(input, encoding.r2, 5)).r2Interval).toEqual(r2Interval);
  expect((await r2Uncertainty(input, encoding.r2, 6)).r2Interval).not.toEqual(r2Interval);
});

test("of fewer than 16 windows there is a curve, but no interval", async () => {
  const { input, encoding } = await example({ used: 5 });
  const { r2Interval, r2Curve } = await r2Uncertainty(input, encoding.r2, 0);
  expect(r2Interval).toBeUndefined();
  expect(r2Curve.map(({ subsets }) => subsets)).toEqual([5, 2, 1, 1]);
  const one = await example({ used: 1 });
  expect((await r2Uncertainty(one.input, 1, 0)).r2Curve).toHaveLength(1);
});

test("a token without probability in some windows leaves out what cannot be fitted", async () => {
  const { input, encoding } = await example();
  for (let g = 0; g < 15; g++) input.groups.sumProbability[g * V + 20] = 0;
  const { r2Interval, r2Curve } = await r2Uncertainty(input, encoding.r2, 0);
  expect(r2Curve).toHaveLength(1);
  expect(r2Interval).toBeUndefined();
});

const interval = { low: 0.92, high: 0.94, level: 0.95, groups: 16, resamples: 200 };
const point = (contexts: number, r2: number) => ({ contexts, r2, low: r2, high: r2, subsets: 1 });

function warningsOf(contexts: number, windows: number, uncertainty: R2Uncertainty): string[] {
  const statistics: HeadStatistics = { ...emptyStatistics(2, 1), contexts };
  statistics.groups.contexts.fill(contexts / windows, 0, Math.min(16, windows));
  return fitWarnings(statistics, uncertainty);
}

test("a fit is called sound only where there was enough text", () => {
  const settled = { r2Interval: interval, r2Curve: [point(5000, 0.931), point(10_000, 0.933)] };
  expect(warningsOf(10_000, 40, settled)).toEqual([]);

  const moving = { r2Interval: interval, r2Curve: [point(5000, 0.951), point(10_000, 0.937)] };
  expect(warningsOf(10_000, 40, moving)).toEqual([
    "R2 still moves with the text: 0.951 on 50% of it, 0.937 on all; use more text",
  ]);
  expect(warningsOf(1, 1, { r2Interval: undefined, r2Curve: [point(1, 1)] })[0]).toMatch(
    /^1 context: .*by construction/,
  );
  const few = warningsOf(16, 1, { r2Interval: undefined, r2Curve: [point(16, 0.937)] });
  expect(few[0]).toMatch(/^16 contexts are few: .*by construction/);
  expect(few[1]).toMatch(/from 1 window of text: that takes 16/);
  expect(warningsOf(2000, 8, { ...settled, r2Interval: undefined })[0]).toMatch(/from 8 windows of text/);
});
