import { cholesky, inverseDiagonal, solveFactored } from "../../linalg/cholesky.js";
import { conditionOfLower } from "../../linalg/condition.js";
import { dot } from "../../linalg/dot.js";
import { minimumNorm } from "../../linalg/minimum-norm.js";
import { type FoldMoments, packedIndex } from "./fold-moments.js";

/** Least squares with intercept of one or more responses on the columns of E. */
export interface LeastSquares {
  /** Number of columns of the centred E that are independent. */
  rank: number;
  /** A, [d], for every response. */
  slopes: Float64Array[];
  /** B, for every response. */
  intercepts: number[];
  /** Mean of every column of E over the rows fitted, [d]. */
  means: Float64Array;
  /**
   * Whether the slopes gain from another regression of the residuals. Not where they come from the rows themselves by QR:
   * they are then as exact as can be, and the inverse below, which does square the condition, could only spoil them.
   */
  refinable: boolean;
  /** Ratio of the extreme singular values of the centred, column-scaled E (of its independent columns). */
  conditionNumber(): number;
  /** (X'X)^+ v for the centred X. */
  applyInverse(v: Float64Array): Float64Array;
  /** Diagonal of (X'X)^+ for the centred X, [d]. */
  inverseDiagonal(): Float64Array;
}

/** A pivot below this part of its column's variance means that too many digits are lost in cross products. */
const smallestPivot = 1e-11;

/**
 * From cross products, by Cholesky on centred columns scaled to norm 1.
 * @param moments packed as in FoldMoments, of the rows to fit
 * @returns undefined if the columns are too nearly dependent for that: then only `fromTriangle` will do
 */
export function fromMoments(
  moments: Float64Array,
  { columns, responses, shift }: FoldMoments,
  negligible: Float64Array,
): LeastSquares | undefined {
  const offsets = meanOffsets(moments, columns + responses);
  const centred = (i: number, j: number) =>
    moments[packedIndex(i + 1, j + 1)]! - offsets[i]! * moments[packedIndex(j + 1, 0)]!;
  // A constant column keeps no more than a 1 on the diagonal, and so a slope of zero.
  const scales = negligible.map((least, i) => (centred(i, i) > least ? 1 / Math.sqrt(centred(i, i)) : 0));
  const lower = new Float64Array(columns * columns);
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j < i; j++) lower[i * columns + j] = centred(i, j) * scales[i]! * scales[j]!;
    lower[i * columns + i] = 1;
  }
  if (cholesky(lower, columns, smallestPivot) > 0) return undefined;
  const applyInverse = (v: Float64Array) => {
    const x = v.map((value, i) => value * scales[i]!);
    solveFactored(lower, columns, x);
    return x.map((value, i) => value * scales[i]!);
  };
  const slopes = Array.from({ length: responses }, (_, r) =>
    applyInverse(Float64Array.from({ length: columns }, (_, j) => centred(columns + r, j))),
  );
  return {
    rank: scales.filter((scale) => scale > 0).length,
    refinable: true,
    slopes,
    ...interceptsOf(slopes, shift, offsets, columns),
    conditionNumber: () => conditionOfLower(lower, columns),
    applyInverse,
    inverseDiagonal: () => inverseDiagonal(lower, columns).map((value, i) => value * scales[i]! ** 2),
  };
}

/**
 * From the triangular factor of the same rows, by QR with column pivoting: for columns that depend, or nearly depend, on
 * each other. Where slopes are not determined, those of smallest norm.
 */
export function fromTriangle(
  triangle: Float64Array,
  { columns, responses, shift }: FoldMoments,
  negligible: Float64Array,
  rows: number,
): LeastSquares {
  const order = 1 + columns + responses;
  // Behind the constant column, what is left of R is the factor of the centred columns.
  const centred = new Float64Array(columns * columns);
  for (let i = 0; i < columns; i++) {
    for (let j = i; j < columns; j++) centred[i * columns + j] = triangle[(i + 1) * order + j + 1]!;
  }
  const rightSides = Array.from({ length: responses }, (_, r) =>
    Float64Array.from({ length: columns }, (_, i) => triangle[(i + 1) * order + 1 + columns + r]!),
  );
  const tolerance = Math.max(rows, columns) * Number.EPSILON;
  const { rank, lower, solutions, inverseFactor } = minimumNorm(centred, columns, rightSides, negligible, tolerance);
  const offsets = Float64Array.from({ length: columns + responses }, (_, i) => triangle[i + 1]! / triangle[0]!);
  let kept: Float64Array | undefined;
  const factor = () => {
    kept ??= inverseFactor();
    return kept;
  };
  return {
    rank,
    refinable: false,
    slopes: solutions,
    ...interceptsOf(solutions, shift, offsets, columns),
    conditionNumber: () => conditionOfLower(lower, rank),
    applyInverse(v) {
      const t = factor();
      const out = new Float64Array(columns);
      const inner = new Float64Array(rank);
      for (let i = 0; i < columns; i++) for (let k = 0; k < rank; k++) inner[k]! += t[i * rank + k]! * v[i]!;
      return out.map((_, i) => dot(t, i * rank, inner, 0, rank));
    },
    inverseDiagonal: () => new Float64Array(columns).map((_, i) => dot(factor(), i * rank, factor(), i * rank, rank)),
  };
}

/**
 * Squared norms at or below which a centred column counts as constant: what rounding leaves of one that is, and, for part
 * of the rows, of one that varies elsewhere only.
 */
export function negligibleNorms({ total, columns, shift }: FoldMoments): Float64Array {
  const rows = total[0]!;
  return Float64Array.from({ length: columns }, (_, i) =>
    Math.max(rows * (16 * Number.EPSILON * shift[i]!) ** 2, 1e-13 * total[packedIndex(i + 1, i + 1)]!),
  );
}

/** Means of the shifted columns: what is left of them where the rows are not those that the shift is the mean of. */
function meanOffsets(moments: Float64Array, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => moments[packedIndex(i + 1, 0)]! / moments[0]!);
}

function interceptsOf(slopes: readonly Float64Array[], shift: Float64Array, offsets: Float64Array, columns: number) {
  const allMeans = shift.map((value, i) => value + offsets[i]!);
  const means = allMeans.slice(0, columns);
  return { means, intercepts: slopes.map((slope, r) => allMeans[columns + r]! - dot(slope, 0, means, 0, columns)) };
}
