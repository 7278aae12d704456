import { solveFactored } from "./cholesky.js";
import { addMultiple, dot, norm } from "./dot.js";
import { tridiagonalQl } from "./eigen/tridiagonal-ql.js";
import { seededRandom } from "./random.js";

/** Lanczos finds an end of the spectrum to many digits in far fewer steps. */
const maxSteps = 100;

/** Relative change of the estimate at which it has settled. */
const settled = 1e-9;

/**
 * Condition number in the 2-norm, the ratio of the largest to the smallest singular value, of a lower triangular
 * L [order, order] without zero pivots: the largest eigenvalues of L L' and of its inverse, by Lanczos' iteration.
 * An estimate from below, within a fraction of a percent. 1 for an empty matrix.
 */
export function conditionOfLower(l: Float64Array, order: number): number {
  if (order === 0) return 1;
  const largest = largestEigenvalue((x) => multiplyByLower(l, order, multiplyByLowerTransposed(l, order, x)), order);
  const inverse = largestEigenvalue((x) => {
    const y = x.slice();
    solveFactored(l, order, y);
    return y;
  }, order);
  return Math.max(1, Math.sqrt(largest * inverse));
}

/** Largest eigenvalue of a symmetric positive operator on vectors of that length (Golub & Van Loan, 10.1). */
function largestEigenvalue(apply: (x: Float64Array) => Float64Array, length: number): number {
  const random = seededRandom(length);
  let vector = unit(Float64Array.from({ length }, () => random() + 0.5));
  const basis: Float64Array[] = [];
  const diagonal: number[] = [];
  const offDiagonal: number[] = [];
  let estimate = 0;
  for (let step = 1; step <= Math.min(maxSteps, length); step++) {
    basis.push(vector);
    const next = apply(vector);
    diagonal.push(dot(next, 0, vector, 0, length));
    for (let pass = 0; pass < 2; pass++) {
      for (const earlier of basis) addMultiple(next, 0, -dot(next, 0, earlier, 0, length), earlier, 0, length);
    }
    const coupling = norm(next);
    const before = estimate;
    estimate = largestRitzValue(diagonal, offDiagonal);
    if (coupling <= Number.EPSILON * estimate || (step > 10 && estimate - before <= settled * estimate)) break;
    offDiagonal.push(coupling);
    vector = unit(next);
  }
  return estimate;
}

function largestRitzValue(diagonal: readonly number[], offDiagonal: readonly number[]): number {
  const values = Float64Array.from(diagonal);
  const couplings = new Float64Array(values.length);
  couplings.set(offDiagonal);
  tridiagonalQl(values, couplings);
  return values.reduce((most, value) => Math.max(most, value));
}

function unit(x: Float64Array): Float64Array {
  const length = norm(x);
  return x.map((value) => value / length);
}

function multiplyByLower(l: Float64Array, order: number, x: Float64Array): Float64Array {
  return x.map((_, i) => dot(l, i * order, x, 0, i + 1));
}

function multiplyByLowerTransposed(l: Float64Array, order: number, x: Float64Array): Float64Array {
  const product = new Float64Array(order);
  for (let i = 0; i < order; i++) addMultiple(product, 0, x[i]!, l, i * order, i + 1);
  return product;
}
