import { expect, test } from "vitest";
import { divergences } from "./divergence.js";
import type { HeadDivergences } from "./divergence-session.js";
import { divergenceSums, firstNonFinite } from "./divergence-sums.js";

/** What a session would find for logits [n, V] and the tokens that follow. */
function found(a: number[][], b: number[][], next: number[]): HeadDivergences {
  const softmax = (z: number[]) => {
    const sum = z.reduce((total, value) => total + Math.exp(value), 0);
    return z.map((value) => Math.exp(value) / sum);
  };
  const each = a.map((z, t) => divergences(z, b[t]!));
  const top = (z: number[]) => z.indexOf(Math.max(...z));
  const summed = (rows: number[][]) =>
    Float64Array.from(rows[0]!, (_, w) => rows.reduce((sum, row) => sum + softmax(row)[w]!, 0));
  return {
    kl: Float64Array.from(each, ({ kl }) => kl),
    reverseKl: Float64Array.from(each, ({ reverseKl }) => reverseKl),
    js: Float64Array.from(each, ({ js }) => js),
    top1A: Int32Array.from(a, top),
    top1B: Int32Array.from(b, top),
    nextLogProbabilityA: Float64Array.from(a, (z, t) => Math.log(softmax(z)[next[t]!]!)),
    nextLogProbabilityB: Float64Array.from(b, (z, t) => Math.log(softmax(z)[next[t]!]!)),
    sumProbabilityA: summed(a),
    sumProbabilityB: summed(b),
    others: undefined,
    probabilityA: new Float64Array(),
    probabilityB: new Float64Array(),
  };
}

test("blocks add up to the measures of all contexts", () => {
  const ln = Math.log;
  const first = found([[ln(3), 0]], [[0, 0]], [0]);
  const second = found(
    [
      [0, 0],
      [0, ln(4)],
    ],
    [
      [0, ln(4)],
      [0, ln(4)],
    ],
    [1, 0],
  );
  const sums = divergenceSums(2);
  sums.add(first, () => true);
  sums.add(second, (t) => t === 0);
  expect(sums.contexts).toBe(3);
  const { contexts, kl, reverseKl, js, top1Agreement, perplexity, predictedTokens, meanProbability, perContext } =
    sums.result();
  expect(contexts).toBe(3);
  const one = divergences([ln(3), 0], [0, 0]);
  const two = divergences([0, 0], [0, ln(4)]);
  expect(kl.mean).toBeCloseTo((one.kl + two.kl) / 3, 14);
  expect(reverseKl.mean).toBeCloseTo((one.reverseKl + two.reverseKl) / 3, 14);
  expect(js.mean).toBeCloseTo((one.js + two.js) / 3, 14);
  expect(kl.max).toBe(Math.fround(Math.max(one.kl, two.kl)));
  expect(perContext.js).toEqual(Float32Array.of(one.js, two.js, 0));
  // The likeliest tokens are 0, 0, 1 and 0, 1, 1.
  expect(top1Agreement).toBe(2 / 3);
  // The last context predicts nothing: p is 3/4 and 1/2 under A, 1/2 and 4/5 under B.
  expect(predictedTokens).toBe(2);
  expect(perplexity.a).toBeCloseTo((0.75 * 0.5) ** -0.5, 14);
  expect(perplexity.b).toBeCloseTo((0.5 * 0.8) ** -0.5, 14);
  expect(Array.from(meanProbability.a)).toEqual([(0.75 + 0.5 + 0.2) / 3, expect.closeTo((0.25 + 0.5 + 0.8) / 3, 14)]);
  expect(meanProbability.b[1]).toBeCloseTo((0.5 + 0.8 + 0.8) / 3, 14);
});

test("the first context without a finite divergence is named", () => {
  const kl = Float64Array.of(0, 1, Number.NaN, Number.POSITIVE_INFINITY);
  const blank = found([[0]], [[0]], [0]);
  expect(firstNonFinite({ ...blank, kl })).toBe(2);
  expect(firstNonFinite(blank)).toBe(-1);
});
