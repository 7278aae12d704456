import type { MatrixProduct } from "../matrix-product.js";
import { roundUpToFour } from "../row-products.js";
import { consistentVector, secularRoots, secularVectors } from "./secular.js";
import { applySweeps, largestMagnitude, type Sweeps, tridiagonalQl } from "./tridiagonal-ql.js";

interface Decomposition {
  /** Rising, [m]. */
  values: Float64Array;
  /** Row i is the unit eigenvector of value i, [m, m]. */
  vectors: Float64Array;
}

/** Below this order the rotations of the QL iteration cost less than handing products to an engine. */
const leafOrder = 64;

/**
 * Eigenvalues (rising) and eigenvectors (rows) of a symmetric tridiagonal matrix by divide and conquer: both halves,
 * then the rank-one coupling between them, whose cost is two matrix products (Cuppen 1981; deflation as in LAPACK's
 * dlaed2; Gu & Eisenstat 1994). About 4/3 order^3 operations or fewer: eigenvectors that hardly couple are left alone.
 * @param offDiagonal element i couples i and i + 1; the last is not looked at
 * @throws RangeError if a number is not finite
 */
export async function tridiagonalEigen(
  product: MatrixProduct,
  diagonal: Float64Array,
  offDiagonal: Float64Array,
): Promise<Decomposition> {
  const scale = largestMagnitude(diagonal, offDiagonal);
  if (!Number.isFinite(scale)) throw new RangeError("a matrix element is not finite");
  const divisor = scale || 1;
  const unit = (values: Float64Array) => values.map((value) => value / divisor);
  const { values, vectors } = await decompose(product, unit(diagonal), unit(offDiagonal));
  return { values: values.map((value) => value * scale), vectors };
}

/** The decomposition of a matrix scaled to a norm of 1, so that no square over- or underflows. */
async function decompose(
  product: MatrixProduct,
  diagonal: Float64Array,
  offDiagonal: Float64Array,
): Promise<Decomposition> {
  const m = diagonal.length;
  if (m <= leafOrder) return leaf(diagonal, offDiagonal);
  const upper = m >> 1;
  const coupling = offDiagonal[upper - 1]!;
  // T = diag(T1, T2) + |coupling| u u' with u = (0 ... 1, sign ... 0).
  diagonal[upper - 1]! -= Math.abs(coupling);
  diagonal[upper]! -= Math.abs(coupling);
  const first = await decompose(product, diagonal.subarray(0, upper), offDiagonal.subarray(0, upper));
  const second = await decompose(product, diagonal.subarray(upper), offDiagonal.subarray(upper));
  return merge(product, first, second, coupling);
}

function leaf(diagonal: Float64Array, offDiagonal: Float64Array): Decomposition {
  const m = diagonal.length;
  const basis = new Float64Array(roundUpToFour(m) * m);
  for (let i = 0; i < m; i++) basis[i * m + i] = 1;
  offDiagonal[m - 1] = 0;
  tridiagonalQl(diagonal, offDiagonal, (sweeps: Sweeps) => applySweeps(basis, m, sweeps));
  const rising = Array.from(diagonal.keys()).sort((i, j) => diagonal[i]! - diagonal[j]! || i - j);
  const vectors = new Float64Array(m * m);
  for (const [row, from] of rising.entries()) {
    for (let k = 0; k < m; k++) vectors[row * m + k] = basis[k * m + from]!;
  }
  return { values: Float64Array.from(rising, (index) => diagonal[index]!), vectors };
}

async function merge(
  product: MatrixProduct,
  first: Decomposition,
  second: Decomposition,
  coupling: number,
): Promise<Decomposition> {
  const upper = first.values.length;
  const m = upper + second.values.length;
  const rows = stacked(first, second);
  const { values, coupled, z, rho } = deflate(rows, coupling);
  const k = coupled.length;
  const poles = Float64Array.from(coupled, (row) => values[row]!);
  const roots = secularRoots(poles, z, rho);
  const rotation = secularVectors(poles, consistentVector(poles, z, roots), roots);

  // Eigenvectors of the halves are zero in the other half, unless deflation mixed them: only what is not is multiplied.
  const left = await combined(product, rotation, k, rows, coupled, 0, upper);
  const right = await combined(product, rotation, k, rows, coupled, upper, m);
  for (let i = 0; i < k; i++) values[coupled[i]!] = poles[roots.origin[i]!]! + roots.offset[i]!;
  const place = new Map(Array.from(coupled, (row, i) => [row, i]));
  const rising = Array.from(values.keys()).sort((i, j) => values[i]! - values[j]! || i - j);
  const vectors = new Float64Array(m * m);
  for (const [to, row] of rising.entries()) {
    const i = place.get(row);
    if (i === undefined) {
      vectors.set(rows.vectors.subarray(row * m, (row + 1) * m), to * m);
    } else {
      vectors.set(left.subarray(i * upper, (i + 1) * upper), to * m);
      vectors.set(right.subarray(i * (m - upper), (i + 1) * (m - upper)), to * m + upper);
    }
  }
  return { values: Float64Array.from(rising, (row) => values[row]!), vectors };
}

/** Eigenvectors of both halves, one below the other, and in which halves each may be other than zero. */
interface Rows {
  readonly upper: number;
  readonly values: Float64Array;
  readonly vectors: Float64Array;
  readonly inLeft: boolean[];
  readonly inRight: boolean[];
}

function stacked(first: Decomposition, second: Decomposition): Rows {
  const upper = first.values.length;
  const lower = second.values.length;
  const m = upper + lower;
  const values = new Float64Array(m);
  values.set(first.values);
  values.set(second.values, upper);
  const vectors = new Float64Array(m * m);
  for (let i = 0; i < upper; i++) vectors.set(first.vectors.subarray(i * upper, (i + 1) * upper), i * m);
  for (let i = 0; i < lower; i++) {
    vectors.set(second.vectors.subarray(i * lower, (i + 1) * lower), (upper + i) * m + upper);
  }
  const isUpper = Array.from(values, (_, i) => i < upper);
  return { upper, values, vectors, inLeft: isUpper, inRight: isUpper.map((is) => !is) };
}

/**
 * Takes out what needs no secular equation: eigenvectors that hardly couple, and of each pair of nearly equal values the
 * combination that does not couple (the pair's rows are rotated in place).
 * @returns values; the rows that couple, with rising and well separated values; their coupling z, rho |z|^2 as it is
 */
function deflate(
  rows: Rows,
  coupling: number,
): { values: Float64Array; coupled: Int32Array; z: Float64Array; rho: number } {
  const { upper, values, vectors } = rows;
  const m = values.length;
  const rho = 2 * Math.abs(coupling);
  const z = new Float64Array(m);
  for (let i = 0; i < upper; i++) z[i] = vectors[i * m + upper - 1]! * Math.SQRT1_2;
  for (let i = upper; i < m; i++) z[i] = vectors[i * m + upper]! * Math.SQRT1_2 * (coupling < 0 ? -1 : 1);
  let largest = 0;
  for (let i = 0; i < m; i++) largest = Math.max(largest, Math.abs(values[i]!), Math.abs(z[i]!));
  const tolerance = 8 * Number.EPSILON * largest;
  const rising = Array.from(values.keys()).sort((i, j) => values[i]! - values[j]! || i - j);
  const coupled: number[] = [];
  for (const next of rising) {
    if (rho * Math.abs(z[next]!) <= tolerance) continue;
    const previous = coupled.at(-1);
    if (previous !== undefined && mixes(rows, z, previous, next, tolerance)) coupled.pop();
    coupled.push(next);
  }
  return { values, coupled: Int32Array.from(coupled), z: Float64Array.from(coupled, (row) => z[row]!), rho };
}

/** Rotates two rows so that the first no longer couples, if their values are so near that this changes nothing. */
function mixes(rows: Rows, z: Float64Array, previous: number, next: number, tolerance: number): boolean {
  const { values, vectors, inLeft, inRight } = rows;
  const m = values.length;
  const length = Math.hypot(z[previous]!, z[next]!);
  const cosine = z[next]! / length;
  const sine = z[previous]! / length;
  const a = values[previous]!;
  const b = values[next]!;
  if (Math.abs((b - a) * cosine * sine) > tolerance) return false;
  for (let j = 0; j < m; j++) {
    const x = vectors[previous * m + j]!;
    const y = vectors[next * m + j]!;
    vectors[previous * m + j] = cosine * x - sine * y;
    vectors[next * m + j] = sine * x + cosine * y;
  }
  values[previous] = a * cosine * cosine + b * sine * sine;
  values[next] = a * sine * sine + b * cosine * cosine;
  z[previous] = 0;
  z[next] = length;
  inLeft[previous] = inLeft[next] = inLeft[previous]! || inLeft[next]!;
  inRight[previous] = inRight[next] = inRight[previous]! || inRight[next]!;
  return true;
}

/** Columns [begin, end) of rotation [k, k] times the coupled rows; rows that are zero there are left out. */
async function combined(
  product: MatrixProduct,
  rotation: Float64Array,
  k: number,
  { upper, vectors, values, inLeft, inRight }: Rows,
  coupled: Int32Array,
  begin: number,
  end: number,
): Promise<Float64Array> {
  const m = values.length;
  const width = end - begin;
  const isThere = begin < upper ? inLeft : inRight;
  const used = Array.from(coupled.keys()).filter((i) => isThere[coupled[i]!]);
  const inner = used.length;
  if (inner === 0 || width === 0) return new Float64Array(k * width);
  const factor = new Float64Array(k * inner);
  for (let i = 0; i < k; i++) {
    for (let j = 0; j < inner; j++) factor[i * inner + j] = rotation[i * k + used[j]!]!;
  }
  const part = new Float64Array(inner * width);
  for (const [j, i] of used.entries()) {
    part.set(vectors.subarray(coupled[i]! * m + begin, coupled[i]! * m + end), j * width);
  }
  return product(factor, part, k, inner, width);
}
