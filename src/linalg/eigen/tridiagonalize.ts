import { addMultiple, dot } from "../dot.js";

/** A = Q T Q' with T tridiagonal and Q a product of reflections. */
export interface Tridiagonal {
  /** Row i holds the vector u of the i-th reflection I - u u' / h in its first i places. */
  reflectors: Float64Array;
  /** 1 / h, or 0 where no reflection was needed. */
  reciprocalNorms: Float64Array;
  diagonal: Float64Array;
  /** Element i couples i and i + 1; the last is 0. */
  offDiagonal: Float64Array;
}

/**
 * Householder tridiagonalisation of the symmetric matrix whose lower triangle is that of the row-major source
 * [order, order] (Golub & Van Loan, 8.3.1; EISPACK's tred2): about 4/3 order^3 operations.
 *
 * Row i, from the last up, is reduced by the reflection I - u u' / h; the matrix above it becomes A - u q' - q u'. That
 * update is put off until the next step, where it shares one pass over memory with the next product A u.
 * @throws RangeError if a number is not finite
 */
export function tridiagonalize(source: Float64Array, order: number): Tridiagonal {
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

/** Q x, in place. */
export function applyReflections(x: Float64Array, { reflectors, reciprocalNorms }: Tridiagonal): void {
  for (let i = 1; i < x.length; i++) applyReflection(x, i, reflectors, reciprocalNorms);
}

/** Q'x, in place. */
export function applyReflectionsTransposed(x: Float64Array, { reflectors, reciprocalNorms }: Tridiagonal): void {
  for (let i = x.length - 1; i >= 1; i--) applyReflection(x, i, reflectors, reciprocalNorms);
}

function applyReflection(x: Float64Array, i: number, reflectors: Float64Array, reciprocalNorms: Float64Array): void {
  const u = i * x.length;
  addMultiple(x, 0, -reciprocalNorms[i]! * dot(reflectors, u, x, 0, i), reflectors, u, i);
}
