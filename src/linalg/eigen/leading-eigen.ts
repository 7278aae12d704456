import { applySweeps, applySweepsBackwards, copySweeps, type Sweeps, tridiagonalQl } from "./tridiagonal-ql.js";
import { applyReflections, applyReflectionsTransposed, tridiagonalize } from "./tridiagonalize.js";

export interface LeadingEigen {
  /** All eigenvalues, falling, [order]. */
  values: Float64Array;
  /** Row i is the unit eigenvector of value i, for the first of them: [count, order]. */
  vectors: Float64Array;
  /** Scalar product of every eigenvector with the given vector, [order]; each may have either sign. */
  coordinates: Float64Array;
}

/**
 * What a component analysis needs of a symmetric matrix, without the eigenvectors that it does not: all eigenvalues, the
 * first few eigenvectors, and the coordinates of one vector along all of them. A seventh of the work of `symmetricEigen`:
 * the rotations of the QL iteration are kept (about 14 order^2 bytes) and applied to these few vectors only.
 * @param a row-major [order, order], of which the lower triangle is read
 * @throws RangeError if a number of a is not finite
 */
export function leadingEigen(a: Float64Array, order: number, count: number, vector: Float64Array): LeadingEigen {
  const tridiagonal = tridiagonalize(a, order);
  const { diagonal, offDiagonal } = tridiagonal;
  const kept: Sweeps[] = [];
  // Four rows at a time are rotated; the vector is the first.
  const row = new Float64Array(4 * order);
  row.set(vector);
  applyReflectionsTransposed(row.subarray(0, order), tridiagonal);
  tridiagonalQl(diagonal, offDiagonal, (sweeps) => {
    applySweeps(row, order, sweeps);
    kept.push(copySweeps(sweeps));
  });
  const falling = Array.from(diagonal.keys()).sort((i, j) => diagonal[j]! - diagonal[i]! || i - j);
  const vectors = new Float64Array(count * order);
  for (let i = 0; i < count; i++) {
    const x = vectors.subarray(i * order, (i + 1) * order);
    x[falling[i]!] = 1;
    for (const sweeps of kept.toReversed()) applySweepsBackwards(x, sweeps);
    applyReflections(x, tridiagonal);
  }
  return {
    values: Float64Array.from(falling, (index) => diagonal[index]!),
    vectors,
    coordinates: Float64Array.from(falling, (index) => row[index]!),
  };
}
