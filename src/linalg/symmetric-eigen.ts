import { dot } from "./dot.js";
import { roundUpToFour } from "./row-products.js";
import { applySweeps, type Sweeps, tridiagonalQl } from "./tridiagonal-ql.js";

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

/** Eigenvalues alone, falling: about 4/3 order^3 operations. @throws RangeError if a number of a is not finite */
export function symmetricEigenvalues(a: Float64Array, order: number): Float64Array {
  const { diagonal, offDiagonal } = tridiagonalize(a, order);
  tridiagonalQl(diagonal, offDiagonal);
  return diagonal.sort().reverse();
}

interface Tridiagonal {
  /** Row i holds the vector u of the i-th reflection I - u u' / h in its first i places. */
  reflectors: Float64Array;
  /** 1 / h, or 0 where no reflection was needed. */
  reciprocalNorms: Float64Array;
  diagonal: Float64Array;
  /** Element i couples i and i + 1; the last is 0. */
  offDiagonal: Float64Array;
}

/**
 * Row i, from the last up, is reduced by the reflection I - u u' / h; the matrix above it becomes A - u q' - q u'. That
 * update is put off until the next step, where it shares one pass over memory with the next product A u.
 */
function tridiagonalize(source: Float64Array, order: number): Tridiagonal {
  const a = source.slice(0, order * order);
  const reciprocalNorms = new Float64Array(order);
  const diagonal = new Float64Array(order);
  const offDiagonal = new Float64Array(order);
  let u = new Float64Array(order);
  let q = new Float64Array(order);
  let nextU = new Float64Array(order);
  let nextQ = new Float64Array(order);
  for (let i = order - 1; i >= 0; i--) {
    const row = i * order;
    for (let k = 0; k <= i; k++) a[row + k]! -= u[i]! * q[k]! + q[i]! * u[k]!;
    diagonal[i] = a[row + i]!;
    if (i === 0) break;
    const h = reflect(a, row, i, offDiagonal);
    reciprocalNorms[i] = h === 0 ? 0 : 1 / h;
    for (let k = 0; k < i; k++) nextU[k] = a[row + k]!;
    nextQ.fill(0, 0, i);
    updateAndMultiply(a, order, i, u, q, nextU, nextQ);
    finishQ(nextU, nextQ, i, reciprocalNorms[i]!);
    [u, nextU] = [nextU, u];
    [q, nextQ] = [nextQ, q];
  }
  return { reflectors: a, reciprocalNorms, diagonal, offDiagonal };
}

/** Turns the first i elements of a row into u; returns h = |u|^2 / 2, or 0 (and u = 0) if only the last is not zero. */
function reflect(a: Float64Array, row: number, i: number, offDiagonal: Float64Array): number {
  let largest = 0;
  for (let k = 0; k < i - 1; k++) largest = Math.max(largest, Math.abs(a[row + k]!));
  const last = a[row + i - 1]!;
  if (!Number.isFinite(largest) || !Number.isFinite(last)) throw new RangeError("a matrix element is not finite");
  if (largest === 0) {
    offDiagonal[i - 1] = last;
    a.fill(0, row, row + i);
    return 0;
  }
  const scale = Math.max(largest, Math.abs(last));
  let squares = 0;
  for (let k = 0; k < i; k++) {
    const value = a[row + k]! / scale;
    a[row + k] = value;
    squares += value * value;
  }
  const length = Math.sqrt(squares);
  const end = a[row + i - 1]!;
  const reflected = end > 0 ? -length : length;
  offDiagonal[i - 1] = scale * reflected;
  a[row + i - 1] = end - reflected;
  return squares - end * reflected;
}

/** On the leading i x i lower triangle: A -= u q' + q u', then p += A v. */
function updateAndMultiply(
  a: Float64Array,
  order: number,
  i: number,
  u: Float64Array,
  q: Float64Array,
  v: Float64Array,
  p: Float64Array,
): void {
  for (let j = 0; j < i; j++) {
    const row = j * order;
    const uj = u[j]!;
    const qj = q[j]!;
    const vj = v[j]!;
    let sum = 0;
    for (let k = 0; k < j; k++) {
      const value = a[row + k]! - (uj * q[k]! + qj * u[k]!);
      a[row + k] = value;
      sum += value * v[k]!;
      p[k]! += value * vj;
    }
    a[row + j]! -= 2 * uj * qj;
    p[j]! += sum + a[row + j]! * vj;
  }
}

/** From p = A u to q = p / h - (u'p / 2 h^2) u. */
function finishQ(u: Float64Array, p: Float64Array, length: number, reciprocalNorm: number): void {
  const half = 0.5 * reciprocalNorm * reciprocalNorm * dot(u, 0, p, 0, length);
  for (let k = 0; k < length; k++) p[k] = p[k]! * reciprocalNorm - half * u[k]!;
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
