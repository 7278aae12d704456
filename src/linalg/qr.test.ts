import { describe, expect, it } from "vitest";
import { dot } from "./dot.js";
import { gram } from "./gram.js";
import { minimumNorm } from "./minimum-norm.js";
import { foldRows, joinTriangle, pivotedQr } from "./qr.js";
import { seededRandom } from "./random.js";

function randomBlock(rows: number, columns: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  return Float64Array.from({ length: rows * columns }, () => random() - 0.5);
}

it("folds blocks of rows, short ones too, into one R with R'R = X'X", async () => {
  const [rows, order] = [57, 11];
  const x = randomBlock(rows, order, 2);
  const triangle = new Float64Array(order * order);
  for (const [start, end] of [
    [0, 3],
    [3, 40],
    [40, 41],
    [41, 57],
  ] as const) {
    foldRows(triangle, order, x.subarray(start * order, end * order), end - start);
  }
  const products = await gram(x, rows, order);
  const again = await gram(triangle, order, order);
  for (let p = 0; p < products.length; p++) expect(again[p]).toBeCloseTo(products[p]!, 13);
  for (let i = 0; i < order; i++) for (let j = 0; j < i; j++) expect(triangle[i * order + j]).toBe(0);
});

it("joins two factors into the factor of all rows", async () => {
  const order = 9;
  const x = randomBlock(40, order, 6);
  const [a, b, whole] = [1, 2, 3].map(() => new Float64Array(order * order)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  // The first is of fewer rows than columns.
  foldRows(a, order, x.subarray(0, 4 * order), 4);
  foldRows(b, order, x.subarray(4 * order), 36);
  foldRows(whole, order, x, 40);
  for (const [target, other] of [
    [a.slice(), b],
    [b.slice(), a],
  ] as const) {
    joinTriangle(target, order, other);
    const products = await gram(target, order, order);
    const wanted = await gram(whole, order, order);
    for (let p = 0; p < wanted.length; p++) expect(products[p]).toBeCloseTo(wanted[p]!, 13);
  }
});

describe("pivoted QR", () => {
  it("finds the rank, largest columns first", () => {
    const rows = 8;
    const a = randomBlock(rows, 5, 3);
    // Column 1 = column 0 - 2 column 3; column 4 is the largest.
    for (let i = 0; i < rows; i++) {
      a[rows + i] = a[i]! - 2 * a[3 * rows + i]!;
      a[4 * rows + i]! *= 100;
    }
    const { rank, pivots, factor } = pivotedQr(a, rows, 5, [], 1e-12);
    expect(rank).toBe(4);
    expect(pivots[0]).toBe(4);
    for (let k = 1; k < rank; k++) {
      expect(Math.abs(factor[k * 5 + k]!)).toBeLessThanOrEqual(Math.abs(factor[(k - 1) * 5 + k - 1]!));
    }
  });

  it("of nothing but zeros has rank 0", () => {
    expect(pivotedQr(new Float64Array(6), 3, 2, [Float64Array.of(1, 2, 3)], 1e-12).rank).toBe(0);
  });
});

describe("minimum norm", () => {
  const order = 6;
  /** R of columns 0 ... 3 and then 2 x0 + x1 and x2 - x3, and y = columns . (1, 2, 3, 4, 5, 6). */
  function dependent() {
    const block = randomBlock(30, order + 1, 4);
    const width = order + 1;
    for (let i = 0; i < 30; i++) {
      const row = block.subarray(i * width, (i + 1) * width);
      row[4] = 2 * row[0]! + row[1]!;
      row[5] = row[2]! - row[3]!;
      row[6] = row.subarray(0, order).reduce((sum, value, j) => sum + (j + 1) * value, 0);
    }
    const whole = new Float64Array(width * width);
    foldRows(whole, width, block, 30);
    const triangle = new Float64Array(order * order);
    const side = new Float64Array(order);
    for (let i = 0; i < order; i++) {
      triangle.set(whole.subarray(i * width, i * width + order), i * order);
      side[i] = whole[i * width + order]!;
    }
    return { block, triangle, side };
  }

  it("solves exactly, orthogonally to the null space", () => {
    const { block, triangle, side } = dependent();
    const { rank, solutions } = minimumNorm(triangle, order, [side], new Float64Array(order), 1e-12);
    expect(rank).toBe(4);
    const x = solutions[0]!;
    for (let i = 0; i < 30; i++) {
      expect(dot(block, i * (order + 1), x, 0, order)).toBeCloseTo(block[i * (order + 1) + order]!, 12);
    }
    expect(2 * x[0]! + x[1]! - x[4]!).toBeCloseTo(0, 12);
    expect(x[2]! - x[3]! - x[5]!).toBeCloseTo(0, 12);
  });

  it("T T' is the pseudo-inverse of R'R: it satisfies Penrose's equations", async () => {
    const { triangle } = dependent();
    const { rank, inverseFactor } = minimumNorm(triangle, order, [], new Float64Array(order), 1e-12);
    const t = inverseFactor();
    const at = (i: number, j: number) => dot(t, i * rank, t, j * rank, rank);
    const inverse = Float64Array.from({ length: order * order }, (_, p) => at(Math.floor(p / order), p % order));
    const products = await gram(triangle, order, order);
    const multiply = (a: Float64Array, b: Float64Array) =>
      Float64Array.from({ length: order * order }, (_, p) => {
        let sum = 0;
        for (let k = 0; k < order; k++) sum += a[Math.floor(p / order) * order + k]! * b[k * order + (p % order)]!;
        return sum;
      });
    const left = multiply(products, inverse);
    const same = (a: Float64Array, b: Float64Array) => {
      for (const [p, value] of a.entries()) expect(value).toBeCloseTo(b[p]!, 11);
    };
    same(multiply(left, products), products);
    same(multiply(multiply(inverse, products), inverse), inverse);
    same(
      left,
      Float64Array.from(left, (_, p) => left[(p % order) * order + Math.floor(p / order)]!),
    );
  });

  it("a negligible column gets nothing", () => {
    const { triangle, side } = dependent();
    const negligible = new Float64Array(order);
    negligible[0] = Number.POSITIVE_INFINITY;
    const { rank, solutions } = minimumNorm(triangle, order, [side], negligible, 1e-12);
    expect(rank).toBe(4);
    expect(solutions[0]![0]).toBe(0);
  });
});
