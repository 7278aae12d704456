import { cholesky, solveFactored } from "../../linalg/cholesky.js";
import { symmetricEigenBy } from "../../linalg/eigen/symmetric-eigen.js";
import { type MatrixProduct, transposed } from "../../linalg/matrix-product.js";
import type { HiddenMoments } from "./output-moments.js";
import type { Whitening } from "./whitening.js";

/**
 * What a reduction takes for h: h' = B P h + c, of which P h [k] is all that is kept. The head that goes with it is
 * F = E B and b' = b + E c. One form for all orders and compensations.
 */
export interface Expansion {
  /** k. */
  readonly kept: number;
  /** Coordinates that P selects, ascending [k]; undefined for directions. */
  readonly coordinates: Int32Array | undefined;
  /** P, [k, d]; undefined for coordinates. */
  readonly projection: Float64Array | undefined;
  /** B, [d, k]. */
  readonly basis: Float64Array;
  /** c, [d]. */
  readonly shift: Float64Array;
}

/** Deleted coordinates count as 0 (the paper), or as their mean. @param keep ascending */
export function dropCoordinates(d: number, keep: Int32Array, mean?: Float64Array | undefined): Expansion {
  const kept = keep.length;
  const basis = new Float64Array(d * kept);
  const shift = mean ? mean.slice() : new Float64Array(d);
  for (const [j, i] of keep.entries()) {
    basis[i * kept + j] = 1;
    shift[i] = 0;
  }
  return { kept, coordinates: keep, projection: undefined, basis, shift };
}

/**
 * Deleted coordinates count as their best linear prediction from those kept: B_X = M_XK M_KK^-1, c_X = mean_X - B_X mean_K.
 * Coordinates whose values the others give away are left out of the prediction.
 */
export function predictCoordinates(d: number, keep: Int32Array, { mean, covariance }: HiddenMoments): Expansion {
  const { kept, coordinates, projection, basis, shift } = dropCoordinates(d, keep, mean);
  const factor = new Float64Array(kept * kept);
  for (let a = 0; a < kept; a++) {
    for (let b = 0; b < kept; b++) factor[a * kept + b] = covariance[keep[a]! * d + keep[b]!]!;
  }
  cholesky(factor, kept);
  const isKept = new Uint8Array(d);
  for (const i of keep) isKept[i] = 1;
  const row = new Float64Array(kept);
  for (let i = 0; i < d; i++) {
    if (isKept[i]) continue;
    for (let j = 0; j < kept; j++) row[j] = covariance[i * d + keep[j]!]!;
    solveFactored(factor, kept, row);
    basis.set(row, i * kept);
    for (let j = 0; j < kept; j++) shift[i]! -= row[j]! * mean[keep[j]!]!;
  }
  return { kept, coordinates, projection, basis, shift };
}

/** All directions of a rotation, the most important first: any k of them are a reduction. */
export interface Rotation {
  /** Share of the metric that each direction carries, falling, [rank]. */
  readonly values: Float64Array;
  /** Rows of Q' S^-1/2, [rank, d]. */
  readonly projection: Float64Array;
  /** Columns of S^1/2 Q as rows, [rank, d]. */
  readonly basis: Float64Array;
  readonly mean: Float64Array;
}

/** The eigenvectors Q of S^1/2 G S^1/2, S = cov(h), G the metric [d, d] (METHOD.md section 4), in the whitened basis. */
export async function rotationOf(
  { rank, matrix, inverse, mean }: Whitening,
  metric: Float64Array,
  product: MatrixProduct,
): Promise<Rotation> {
  const d = mean.length;
  const half = await product(inverse, metric, rank, d, d);
  const inner = await product(half, transposed(inverse, rank, d), rank, d, rank);
  for (let i = 0; i < rank; i++) {
    for (let j = 0; j < i; j++) inner[i * rank + j] = (inner[i * rank + j]! + inner[j * rank + i]!) / 2;
  }
  const { values, vectors } = await symmetricEigenBy(product, inner, rank);
  return {
    values,
    mean,
    projection: await product(vectors, matrix, rank, rank, d),
    basis: await product(vectors, inverse, rank, rank, d),
  };
}

/** The first k directions of a rotation; the rest counts as its mean. @param k at most the rotation's rank is used */
export function keepDirections({ projection, basis, mean, values }: Rotation, k: number): Expansion {
  const d = mean.length;
  const kept = Math.min(k, values.length);
  const shift = mean.slice();
  const transposed = new Float64Array(d * kept);
  for (let j = 0; j < kept; j++) {
    let along = 0;
    for (let i = 0; i < d; i++) along += projection[j * d + i]! * mean[i]!;
    for (let i = 0; i < d; i++) {
      transposed[i * kept + j] = basis[j * d + i]!;
      shift[i]! -= basis[j * d + i]! * along;
    }
  }
  return {
    kept,
    coordinates: undefined,
    projection: projection.slice(0, kept * d),
    basis: transposed,
    shift,
  };
}
