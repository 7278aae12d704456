/** Plane rotations of several QL sweeps, in the order in which they apply to the columns of the eigenvector basis. */
export interface Sweeps {
  /** Cosine and sine of every rotation, one after the other. */
  rotations: Float64Array;
  /** For each sweep the column that it starts from and the one it ends at; it rotates neighbours on the way down. */
  from: Int32Array;
  to: Int32Array;
  count: number;
}

/** Sweeps kept before they are applied together: each row of the basis then passes through the cache once for all. */
const maxSweeps = 64;

/** EISPACK allows 30 for one eigenvalue; it never takes as many on finite numbers. */
const maxIterations = 60;

/**
 * Eigenvalues of a symmetric tridiagonal matrix by the implicit QL iteration (EISPACK's imtql2), in place of its
 * diagonal and in no order; the off-diagonal is used up. Only scalars are needed to go on, so the rotations of the
 * eigenvectors are handed out in batches.
 * @param offDiagonal element i couples i and i + 1
 * @throws RangeError if a number is not finite
 */
export function tridiagonalQl(
  diagonal: Float64Array,
  offDiagonal: Float64Array,
  apply?: (sweeps: Sweeps) => void,
): void {
  const order = diagonal.length;
  const scale = largestMagnitude(diagonal, offDiagonal);
  if (!Number.isFinite(scale)) throw new RangeError("a matrix element is not finite");
  if (scale === 0) return;
  for (let i = 0; i < order; i++) {
    diagonal[i]! /= scale;
    offDiagonal[i]! /= scale;
  }
  const sweeps: Sweeps = {
    rotations: new Float64Array(apply ? 2 * maxSweeps * order : 0),
    from: new Int32Array(maxSweeps),
    to: new Int32Array(maxSweeps),
    count: 0,
  };
  let used = 0;
  for (let l = 0; l < order; l++) {
    for (let iteration = 0; ; iteration++) {
      const m = endOfBlock(diagonal, offDiagonal, l);
      if (m === l) break;
      if (iteration === maxIterations) throw new RangeError("the eigenvalue iteration does not converge");
      const end = sweep(diagonal, offDiagonal, l, m, sweeps.rotations, used);
      if (!apply) continue;
      sweeps.from[sweeps.count] = m;
      sweeps.to[sweeps.count] = end;
      sweeps.count++;
      used += 2 * (m - end);
      if (sweeps.count === maxSweeps) {
        apply(sweeps);
        sweeps.count = 0;
        used = 0;
      }
    }
  }
  if (apply && sweeps.count > 0) apply(sweeps);
  for (let i = 0; i < order; i++) diagonal[i]! *= scale;
}

/** NaN if a number is. */
export function largestMagnitude(diagonal: Float64Array, offDiagonal: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < diagonal.length; i++) {
    largest = Math.max(largest, Math.abs(diagonal[i]!), Math.abs(offDiagonal[i]!));
  }
  return largest;
}

/** The first m >= l whose coupling to m + 1 is negligible beside its neighbours, or beside the matrix itself. */
function endOfBlock(diagonal: Float64Array, offDiagonal: Float64Array, l: number): number {
  for (let m = l; m < diagonal.length - 1; m++) {
    const coupling = Math.abs(offDiagonal[m]!);
    const neighbours = Math.abs(diagonal[m]!) + Math.abs(diagonal[m + 1]!);
    // The matrix is scaled to 1, where the square of a smaller coupling would underflow.
    if (coupling <= Number.EPSILON * neighbours || coupling < 1e-150) return m;
  }
  return diagonal.length - 1;
}

/** One implicit QL step on the block l ... m, with Wilkinson's shift. Returns where it ended: l, save on underflow. */
function sweep(d: Float64Array, e: Float64Array, l: number, m: number, rotations: Float64Array, start: number): number {
  let at = start;
  const slope = (d[l + 1]! - d[l]!) / (2 * e[l]!);
  const root = Math.sqrt(slope * slope + 1);
  let g = d[m]! - d[l]! + e[l]! / (slope + (slope < 0 ? -root : root));
  let sine = 1;
  let cosine = 1;
  let p = 0;
  for (let i = m - 1; i >= l; i--) {
    const f = sine * e[i]!;
    const b = cosine * e[i]!;
    const length = Math.sqrt(f * f + g * g);
    e[i + 1] = length;
    if (length === 0) {
      d[i + 1]! -= p;
      e[m] = 0;
      return i + 1;
    }
    sine = f / length;
    cosine = g / length;
    g = d[i + 1]! - p;
    const r = (d[i]! - g) * sine + 2 * cosine * b;
    p = sine * r;
    d[i + 1] = g + p;
    g = cosine * r - b;
    if (at < rotations.length) {
      rotations[at] = cosine;
      rotations[at + 1] = sine;
    }
    at += 2;
  }
  d[l]! -= p;
  e[l] = g;
  e[m] = 0;
  return l;
}

/**
 * Rotates the columns of a basis [rows rounded up to four, order] by all sweeps, four rows at a time: within a row a
 * sweep is a chain over neighbouring elements, and four chains side by side hide each other's latency.
 */
export function applySweeps(basis: Float64Array, order: number, sweeps: Sweeps): void {
  const { rotations, from, to, count } = sweeps;
  for (let row = 0; row + 3 * order < basis.length; row += 4 * order) {
    let at = 0;
    for (let index = 0; index < count; index++) {
      at = rotateRows(basis, row, order, from[index]!, to[index]!, rotations, at);
    }
  }
}

function rotateRows(
  basis: Float64Array,
  row: number,
  order: number,
  from: number,
  to: number,
  rotations: Float64Array,
  start: number,
): number {
  const row1 = row + order;
  const row2 = row1 + order;
  const row3 = row2 + order;
  let h0 = basis[row + from]!;
  let h1 = basis[row1 + from]!;
  let h2 = basis[row2 + from]!;
  let h3 = basis[row3 + from]!;
  let at = start;
  for (let i = from - 1; i >= to; i--) {
    const cosine = rotations[at]!;
    const sine = rotations[at + 1]!;
    at += 2;
    const z0 = basis[row + i]!;
    const z1 = basis[row1 + i]!;
    const z2 = basis[row2 + i]!;
    const z3 = basis[row3 + i]!;
    basis[row + i + 1] = sine * z0 + cosine * h0;
    basis[row1 + i + 1] = sine * z1 + cosine * h1;
    basis[row2 + i + 1] = sine * z2 + cosine * h2;
    basis[row3 + i + 1] = sine * z3 + cosine * h3;
    h0 = cosine * z0 - sine * h0;
    h1 = cosine * z1 - sine * h1;
    h2 = cosine * z2 - sine * h2;
    h3 = cosine * z3 - sine * h3;
  }
  basis[row + to] = h0;
  basis[row1 + to] = h1;
  basis[row2 + to] = h2;
  basis[row3 + to] = h3;
  return at;
}

/** Applies the inverse order to one vector: with all sweeps it takes a unit vector to that eigenvector of the matrix. */
export function applySweepsBackwards(x: Float64Array, { rotations, from, to, count }: Sweeps): void {
  let at = rotationCount({ from, to, count });
  for (let index = count - 1; index >= 0; index--) {
    for (let i = to[index]!; i < from[index]!; i++) {
      at -= 2;
      const cosine = rotations[at]!;
      const sine = rotations[at + 1]!;
      const lower = x[i]!;
      const upper = x[i + 1]!;
      x[i] = cosine * lower + sine * upper;
      x[i + 1] = cosine * upper - sine * lower;
    }
  }
}

/** Sweeps that stay when the buffers of the iteration are used again. */
export function copySweeps({ rotations, from, to, count }: Sweeps): Sweeps {
  return {
    rotations: rotations.slice(0, rotationCount({ from, to, count })),
    from: from.slice(0, count),
    to: to.slice(0, count),
    count,
  };
}

/** Numbers in `rotations` that belong to the sweeps. */
function rotationCount({ from, to, count }: Pick<Sweeps, "from" | "to" | "count">): number {
  let sum = 0;
  for (let index = 0; index < count; index++) sum += 2 * (from[index]! - to[index]!);
  return sum;
}
