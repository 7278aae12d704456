import { expect, test } from "vitest";
import { divergences, logSumExp } from "./divergence.js";

test("two distributions by hand", () => {
  const { kl, reverseKl, js } = divergences([Math.log(3), Math.log(1)], [0, 0]);
  expect(kl).toBeCloseTo(0.75 * Math.log(1.5) + 0.25 * Math.log(0.5), 14);
  expect(reverseKl).toBeCloseTo(0.5 * Math.log(2 / 3) + 0.5 * Math.log(2), 14);
  const m = [0.625, 0.375] as const;
  const half = 0.75 * Math.log(0.75 / m[0]) + 0.25 * Math.log(0.25 / m[1]);
  expect(js).toBeCloseTo((half + 0.5 * Math.log(0.5 / m[0]) + 0.5 * Math.log(0.5 / m[1])) / 2, 14);
});

test("a shift of all logits changes nothing, however large they are", () => {
  const a = [1, 2, 3, -4];
  const b = [2, 0, 1, -3];
  const wanted = divergences(a, b);
  const shifted = divergences(
    a.map((z) => z + 1000),
    b.map((z) => z - 1000),
  );
  for (const key of ["kl", "reverseKl", "js"] as const) expect(shifted[key]).toBeCloseTo(wanted[key], 12);
  expect(divergences(a, a)).toEqual({ kl: 0, reverseKl: 0, js: 0 });
});

test("probabilities too small for a double still count", () => {
  // q_1 = exp(-1000) is 0 in float64; KL(A || B) = 1/2 (ln 1/2 - 0) + 1/2 (ln 1/2 + 1000).
  const { kl, reverseKl, js } = divergences([0, 0], [0, -1000]);
  expect(kl).toBeCloseTo(500 - Math.LN2, 10);
  expect(reverseKl).toBeCloseTo(Math.LN2, 12);
  const entropyOfM = -0.75 * Math.log(0.75) - 0.25 * Math.log(0.25);
  expect(js).toBeCloseTo(entropyOfM - Math.LN2 / 2, 12);
});

test("distributions that share nothing are ln 2 apart in JS", () => {
  expect(divergences([0, -2000], [-2000, 0]).js).toBeCloseTo(Math.LN2, 14);
});

test("a token left out of both is left out", () => {
  const out = Number.NEGATIVE_INFINITY;
  expect(divergences([1, 2, out], [2, 0, out])).toEqual(divergences([1, 2], [2, 0]));
});

test("tiny divergences are half the variance of the difference of the logits", () => {
  const a = [0.3, -1, 2, 0.7];
  const p = a.map((z) => Math.exp(z - logSumExp(a)));
  const edit = [1e-5, -2e-5, 0.5e-5, 3e-5];
  const mean = edit.reduce((sum, x, w) => sum + p[w]! * x, 0);
  const variance = edit.reduce((sum, x, w) => sum + p[w]! * (x - mean) ** 2, 0);
  const { kl, js } = divergences(
    a,
    a.map((z, w) => z + edit[w]!),
  );
  expect(kl / (variance / 2)).toBeCloseTo(1, 3);
  expect(js / (variance / 8)).toBeCloseTo(1, 3);
});

test("rows of different vocabularies are refused", () => {
  expect(() => divergences([1, 2], [1, 2, 3])).toThrow("2 logits cannot be compared with 3");
});
