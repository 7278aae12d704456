import { type FoldMoments, packedIndex } from "../../encoding/regression/fold-moments.js";
import { addMultiple, dot, norm } from "../../linalg/dot.js";
import { tridiagonalQl } from "../../linalg/eigen/tridiagonal-ql.js";
import { seededRandom } from "../../linalg/random.js";

/** Relative change of the shares between two looks at which they have settled. */
const settled = 1e-9;
const stepsBetweenLooks = 10;

/** A spectrum without gaps, as of a random matrix, settles slowly; its shares are then right to four digits. */
const maxSteps = 300;

/**
 * Share of the variance of the centred E that its first principal components hold, falling, [count]: the largest
 * eigenvalues of the covariance by Lanczos' iteration with full orthogonalisation (Golub & Van Loan, 10.1), d^2 work a step
 * instead of d^3 for all of them.
 */
export function leadingVarianceShares({ total, columns }: FoldMoments, count: number): Float64Array {
  const rows = total[0]!;
  const sums = Float64Array.from({ length: columns }, (_, j) => total[packedIndex(j + 1, 0)]!);
  let trace = 0;
  for (let j = 0; j < columns; j++) trace += total[packedIndex(j + 1, j + 1)]! - sums[j]! ** 2 / rows;
  const wanted = Math.min(count, columns);
  if (!(trace > 0)) return new Float64Array(wanted);
  const random = seededRandom(columns);
  let vector = unit(Float64Array.from({ length: columns }, () => random() - 0.5));
  const basis: Float64Array[] = [];
  const diagonal: number[] = [];
  const couplings: number[] = [];
  let shares = new Float64Array(wanted);
  for (let step = 1; step <= Math.min(maxSteps, columns); step++) {
    basis.push(vector);
    const next = packedProduct(total, columns, vector);
    addMultiple(next, 0, -dot(sums, 0, vector, 0, columns) / rows, sums, 0, columns);
    diagonal.push(dot(next, 0, vector, 0, columns));
    for (let pass = 0; pass < 2; pass++) {
      for (const earlier of basis) addMultiple(next, 0, -dot(next, 0, earlier, 0, columns), earlier, 0, columns);
    }
    const coupling = norm(next);
    const ended = step === Math.min(maxSteps, columns) || coupling <= Number.EPSILON * trace;
    if (ended || (step >= 2 * wanted && step % stepsBetweenLooks === 0)) {
      const before = shares;
      shares = ritzValues(diagonal, couplings, wanted).map((value) => Math.max(0, value) / trace);
      if (ended || shares.every((share, i) => Math.abs(share - before[i]!) <= settled * share)) break;
    }
    couplings.push(coupling);
    vector = next.map((value) => value / coupling);
  }
  return shares;
}

function ritzValues(
  diagonal: readonly number[],
  couplings: readonly number[],
  count: number,
): Float64Array<ArrayBuffer> {
  const values = Float64Array.from(diagonal);
  const offDiagonal = new Float64Array(values.length);
  offDiagonal.set(couplings);
  tridiagonalQl(values, offDiagonal);
  const falling = values.sort().reverse();
  return Float64Array.from({ length: count }, (_, i) => falling[i] ?? 0);
}

/** X'X v for the columns' part of a packed lower triangle. */
function packedProduct(packed: Float64Array, columns: number, v: Float64Array): Float64Array {
  const product = new Float64Array(columns);
  for (let i = 0; i < columns; i++) {
    const start = packedIndex(i + 1, 1);
    addMultiple(product, 0, v[i]!, packed, start, i);
    product[i]! += dot(packed, start, v, 0, i + 1);
  }
  return product;
}

function unit(x: Float64Array): Float64Array {
  const length = norm(x);
  return x.map((value) => value / length);
}
