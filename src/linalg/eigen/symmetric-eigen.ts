import type { MatrixProduct } from "../matrix-product.js";
import { roundUpToFour } from "../row-products.js";
import { applyBlockReflections } from "./block-reflections.js";
import { tridiagonalEigen } from "./divide-and-conquer.js";
import { applySweeps, type Sweeps, tridiagonalQl } from "./tridiagonal-ql.js";
import { tridiagonalize } from "./tridiagonalize.js";

export interface SymmetricEigen {
  /** Falling, [order]. */
  values: Float64Array;
  /** Row i is the unit eigenvector of value i, [order, order]. */
  vectors: Float64Array;
}

/**
 * Eigenvalues and eigenvectors of the symmetric matrix whose lower triangle is that of the row-major a [order, order]:
 * Householder tridiagonalisation, then the implicit QL iteration (Golub & Van Loan, 8.3; EISPACK's tred2 and imtql2),
 * every pass over contiguous rows. About 9 order^3 operations.
 * @throws RangeError if a number of a is not finite
 */
export function symmetricEigen(a: Float64Array, order: number): SymmetricEigen {
  const { reflectors, reciprocalNorms, diagonal, offDiagonal } = tridiagonalize(a, order);
  const basis = accumulate(reflectors, reciprocalNorms, order);
  tridiagonalQl(diagonal, offDiagonal, (sweeps: Sweeps) => applySweeps(basis, order, sweeps));
  return sortFalling(diagonal, basis, order);
}

/**
 * The same for large matrices: all but the tridiagonalisation is products of large matrices, through an engine.
 * 1024 x 1024 takes about a second, 4096 x 4096 about a minute.
 * @throws RangeError if a number of a is not finite
 */
export async function symmetricEigenBy(
  product: MatrixProduct,
  a: Float64Array,
  order: number,
): Promise<SymmetricEigen> {
  const { reflectors, reciprocalNorms, diagonal, offDiagonal } = tridiagonalize(a, order);
  const { values, vectors } = await tridiagonalEigen(product, diagonal, offDiagonal);
  await applyBlockReflections(product, vectors, { reflectors, reciprocalNorms }, order);
  return { values: values.reverse(), vectors: reversedRows(vectors, order) };
}

/** Eigenvalues alone, falling: about 4/3 order^3 operations. @throws RangeError if a number of a is not finite */
export function symmetricEigenvalues(a: Float64Array, order: number): Float64Array {
  const { diagonal, offDiagonal } = tridiagonalize(a, order);
  tridiagonalQl(diagonal, offDiagonal);
  return diagonal.sort().reverse();
}

/** The product of all reflections, [order rounded up to four, order]; rows past the order are zero. */
function accumulate(reflectors: Float64Array, reciprocalNorms: Float64Array, order: number): Float64Array {
  const basis = new Float64Array(roundUpToFour(order) * order);
  const sums = new Float64Array(order);
  for (let i = 0; i < order; i++) {
    if (reciprocalNorms[i] !== 0) reflectRows(basis, order, i, reflectors, reciprocalNorms[i]!, sums);
    basis[i * order + i] = 1;
  }
  return basis;
}

/** On the leading i x i block: Z -= u (u'Z) / h, two rows at a time. */
function reflectRows(
  basis: Float64Array,
  order: number,
  i: number,
  reflectors: Float64Array,
  reciprocalNorm: number,
  sums: Float64Array,
): void {
  const u = i * order;
  sums.fill(0, 0, i);
  let k = 0;
  for (; k + 1 < i; k += 2) {
    const u0 = reflectors[u + k]!;
    const u1 = reflectors[u + k + 1]!;
    const row = k * order;
    for (let j = 0; j < i; j++) sums[j]! += u0 * basis[row + j]! + u1 * basis[row + order + j]!;
  }
  for (; k < i; k++) {
    const u0 = reflectors[u + k]!;
    for (let j = 0; j < i; j++) sums[j]! += u0 * basis[k * order + j]!;
  }
  for (k = 0; k < i; k++) {
    const factor = reflectors[u + k]! * reciprocalNorm;
    const row = k * order;
    for (let j = 0; j < i; j++) basis[row + j]! -= factor * sums[j]!;
  }
}

function sortFalling(values: Float64Array, basis: Float64Array, order: number): SymmetricEigen {
  const falling = Array.from(values.keys()).sort((i, j) => values[j]! - values[i]! || i - j);
  const vectors = new Float64Array(order * order);
  for (let j = 0; j < order; j++) {
    const from = falling[j]!;
    for (let k = 0; k < order; k++) vectors[j * order + k] = basis[k * order + from]!;
  }
  return { values: Float64Array.from(falling, (index) => values[index]!), vectors };
}

function reversedRows(vectors: Float64Array, order: number): Float64Array {
  for (let i = 0, j = order - 1; i < j; i++, j--) {
    const row = vectors.slice(i * order, (i + 1) * order);
    vectors.copyWithin(i * order, j * order, (j + 1) * order);
    vectors.set(row, j * order);
  }
  return vectors;
}
