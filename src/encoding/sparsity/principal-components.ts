import { dot } from "../../linalg/dot.js";
import { leadingEigen } from "../../linalg/eigen/leading-eigen.js";
import type { Matrix } from "../../tensor/matrix.js";
import type { CentredProducts } from "../regression/nested-refits.js";

export interface PrincipalComponents {
  /** Share of the variance of each component, falling, [d]; sums to 1. */
  varianceShare: Float64Array;
  /** Row i is the unit direction of component i, its largest loading positive, for the first of them: [count, d]. */
  directions: Float64Array;
  /** R2 of the regressions on the first 1, 2, ... d components. */
  nestedR2: Float64Array;
}

/**
 * Principal components of the centred E, and how much of the response the first of them explain.
 * @param count directions wanted
 */
export function principalComponents(
  { columns, response, totalSumOfSquares }: CentredProducts,
  count: number,
): PrincipalComponents {
  const d = response.length;
  const { values, vectors, coordinates } = leadingEigen(columns, d, count, response);
  orient(vectors, d);
  const variances = values.map((value) => Math.max(0, value));
  const total = variances.reduce((sum, value) => sum + value, 0);
  const negligible = d * Number.EPSILON * variances[0]!;
  let explained = 0;
  const nestedR2 = variances.map((variance, i) => {
    if (variance > negligible) explained += coordinates[i]! ** 2 / variance;
    return explained / totalSumOfSquares;
  });
  return { varianceShare: variances.map((value) => value / total), directions: vectors, nestedR2 };
}

/** Turns every row so that its element of largest magnitude is positive: the first of them, where several are. */
function orient(vectors: Float64Array, d: number): void {
  for (let row = 0; row < vectors.length; row += d) {
    let largest = row;
    for (let p = row; p < row + d; p++) if (Math.abs(vectors[p]!) > Math.abs(vectors[largest]!)) largest = p;
    if (vectors[largest]! < 0) for (let p = row; p < row + d; p++) vectors[p] = -vectors[p]!;
  }
}

/** Coordinates of the centred rows along the first directions, [R, count] row-major. */
export function componentScores(
  { columns, data }: Matrix<Float32Array>,
  tokenIds: Int32Array,
  means: Float64Array,
  directions: Float64Array,
  count: number,
): Float64Array {
  const scores = new Float64Array(tokenIds.length * count);
  const centred = new Float64Array(columns);
  for (const [index, id] of tokenIds.entries()) {
    for (let j = 0; j < columns; j++) centred[j] = data[id * columns + j]! - means[j]!;
    for (let c = 0; c < count; c++) scores[index * count + c] = dot(directions, c * columns, centred, 0, columns);
  }
  return scores;
}
