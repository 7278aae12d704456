import { symmetricEigenBy } from "../../linalg/eigen/symmetric-eigen.js";
import type { MatrixProduct } from "../../linalg/matrix-product.js";
import type { HiddenMoments } from "./output-moments.js";

/** h as uncorrelated numbers of variance 1: W (h - mean), W = L^-1/2 U' of cov(h) = U L U'. */
export interface Whitening {
  /** r: directions in which h moves. */
  readonly rank: number;
  /** W, [r, d]. */
  readonly matrix: Float64Array;
  /** Columns of its pseudo-inverse U L^1/2 as rows, [r, d]: h - mean is their sum weighted by the white numbers. */
  readonly inverse: Float64Array;
  readonly mean: Float64Array;
}

/** Eigenvalues of the covariance below this share of the largest are directions in which h does not move. */
const still = 1e-11;

/** A LayerNorm leaves a direction in which h does not move, and so do too few contexts: those are left out. */
export async function whiteningOf({ mean, covariance }: HiddenMoments, product: MatrixProduct): Promise<Whitening> {
  const d = mean.length;
  const { values, vectors } = await symmetricEigenBy(product, covariance, d);
  const rank = values.findLastIndex((value) => value > still * values[0]!) + 1;
  const matrix = new Float64Array(rank * d);
  const inverse = new Float64Array(rank * d);
  for (let i = 0; i < rank; i++) {
    const scale = Math.sqrt(values[i]!);
    for (let j = 0; j < d; j++) {
      matrix[i * d + j] = vectors[i * d + j]! / scale;
      inverse[i * d + j] = vectors[i * d + j]! * scale;
    }
  }
  return { rank, matrix, inverse, mean };
}
