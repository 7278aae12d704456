import { describe, expect, it } from "vitest";
import { cholesky, inverseDiagonal, solveLower, solveLowerTransposed } from "./cholesky.js";
import { conditionOfLower } from "./condition.js";
import { symmetricEigen } from "./eigen/symmetric-eigen.js";
import { gram } from "./gram.js";
import { seededRandom } from "./random.js";

async function positiveDefinite(order: number): Promise<Float64Array> {
  const random = seededRandom(order);
  return gram(
    Float64Array.from({ length: 2 * order * order }, () => random() - 0.5),
    2 * order,
    order,
  );
}

describe.each([1, 2, 3, 4, 5, 63, 64, 65, 130, 203])("order %i", (order) => {
  it("L L' is the matrix, and the upper triangle stays", async () => {
    const a = await positiveDefinite(order);
    const l = a.slice();
    expect(cholesky(l, order)).toBe(0);
    for (let i = 0; i < order; i++) {
      for (let j = 0; j <= i; j++) {
        let product = 0;
        for (let k = 0; k <= j; k++) product += l[i * order + k]! * l[j * order + k]!;
        expect(Math.abs(product - a[i * order + j]!)).toBeLessThan(1e-12 * order);
      }
      for (let j = i + 1; j < order; j++) expect(l[i * order + j]).toBe(a[i * order + j]);
    }
  });

  it("solves, and its inverse and condition are those of the eigenvalues", async () => {
    const a = await positiveDefinite(order);
    const wanted = Float64Array.from({ length: order }, (_, i) => ((i * 7) % 5) - 2);
    const b = wanted.map((_, i) => wanted.reduce((sum, value, j) => sum + a[i * order + j]! * value, 0));
    const l = a.slice();
    cholesky(l, order);
    solveLower(l, order, b);
    solveLowerTransposed(l, order, b);
    for (let i = 0; i < order; i++) expect(b[i]).toBeCloseTo(wanted[i]!, 9);

    const { values, vectors } = symmetricEigen(a, order);
    const diagonal = inverseDiagonal(l, order);
    for (let i = 0; i < order; i++) {
      const inverse = values.reduce((sum, value, k) => sum + vectors[k * order + i]! ** 2 / value, 0);
      expect(diagonal[i]! / inverse).toBeCloseTo(1, 10);
    }
    expect(conditionOfLower(l, order) / Math.sqrt(values[0]! / values[order - 1]!)).toBeCloseTo(1, 5);
  });
});

it("counts dependent columns and leaves them out of what it solves", () => {
  // X = [a, b, a + b, c]: the third column depends on the first two.
  const a = Float64Array.from([2, 1, 3, 0, 1, 2, 3, 1, 3, 3, 6, 1, 0, 1, 1, 5]);
  expect(cholesky(a, 4)).toBe(1);
  const x = Float64Array.from([3, 3, 6, 1]);
  solveLower(a, 4, x);
  solveLowerTransposed(a, 4, x);
  for (const [i, wanted] of [1, 1, 0, 0].entries()) expect(x[i]).toBeCloseTo(wanted, 14);
});

it("takes an indefinite or unfinished matrix without a NaN", () => {
  for (const pivot of [-1, 0, Number.NaN, Number.POSITIVE_INFINITY]) {
    const a = Float64Array.from([pivot, 0, 1, 2]);
    expect(cholesky(a, 2)).toBeGreaterThan(0);
    expect(a.every((value) => Number.isFinite(value))).toBe(true);
  }
});
