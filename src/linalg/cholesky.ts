import { addMultiple, dot } from "./dot.js";
import { rowProducts } from "./row-products.js";

/** Rows factored together: the rows of L above them are read from memory once for all of them. */
const panelRows = 64;

/**
 * Cholesky factor of a symmetric positive semi-definite matrix A = L L', in place: the lower triangle of the row-major
 * a [order, order] becomes L, its upper triangle is neither read nor written (Golub & Van Loan, 4.2; Banachiewicz's row
 * order, in tiles of 4 x 4).
 *
 * A column whose pivot is at most `tolerance` times its diagonal element depends on the columns before it (or is not
 * finite): its column of L becomes zero, which the solves below read as "this unknown is zero".
 * @returns the number of such columns: 0 if A is positive definite
 */
export function cholesky(a: Float64Array, order: number, tolerance: number = order * Number.EPSILON): number {
  const reciprocalPivots = new Float64Array(order);
  const tile = new Float64Array(16);
  let dependent = 0;
  for (let panel = 0; panel < order; panel += panelRows) {
    const panelEnd = Math.min(panel + panelRows, order);
    for (let j = 0; j < panelEnd; j += 4) {
      for (let i = Math.max(panel, j); i < panelEnd; i += 4) {
        tileProducts(a, order, i, j, tile);
        dependent += finishTile(a, order, i, j, tile, reciprocalPivots, tolerance);
      }
    }
  }
  return dependent;
}

/** Products of the rows i... and j... of L over the columns before j. */
function tileProducts(a: Float64Array, order: number, i: number, j: number, tile: Float64Array): void {
  if (i + 4 <= order) {
    rowProducts(a, i * order, order, a, j * order, order, j, tile);
    return;
  }
  const width = Math.min(4, order - j);
  for (let r = 0; i + r < order; r++) {
    for (let s = 0; s < width; s++) tile[4 * r + s] = dot(a, (i + r) * order, a, (j + s) * order, j);
  }
}

function finishTile(
  a: Float64Array,
  order: number,
  i: number,
  j: number,
  tile: Float64Array,
  reciprocalPivots: Float64Array,
  tolerance: number,
): number {
  const height = Math.min(4, order - i);
  const width = Math.min(4, order - j);
  let dependent = 0;
  for (let s = 0; s < width; s++) {
    const column = j + s;
    for (let r = i === j ? s : 0; r < height; r++) {
      const at = (i + r) * order + column;
      const value = a[at]! - tile[4 * r + s]! - shortDot(a, (i + r) * order + j, column * order + j, s);
      if (i + r > column) {
        a[at] = reciprocalPivots[column] === 0 ? 0 : value * reciprocalPivots[column]!;
      } else if (value > tolerance * a[at]! && value < Number.POSITIVE_INFINITY) {
        a[at] = Math.sqrt(value);
        reciprocalPivots[column] = 1 / a[at]!;
      } else {
        a[at] = 0;
        reciprocalPivots[column] = 0;
        dependent++;
      }
    }
  }
  return dependent;
}

function shortDot(a: Float64Array, start: number, otherStart: number, length: number): number {
  let sum = 0;
  for (let p = 0; p < length; p++) sum += a[start + p]! * a[otherStart + p]!;
  return sum;
}

/** x = L^-1 b in place, for the lower triangle of l [order, order]; unknowns with a zero pivot become zero. */
export function solveLower(l: Float64Array, order: number, b: Float64Array): void {
  for (let i = 0; i < order; i++) {
    const pivot = l[i * order + i]!;
    b[i] = pivot === 0 ? 0 : (b[i]! - dot(l, i * order, b, 0, i)) / pivot;
  }
}

/** x = L'^-1 b in place, for the lower triangle of l [order, order]; unknowns with a zero pivot become zero. */
export function solveLowerTransposed(l: Float64Array, order: number, b: Float64Array): void {
  for (let i = order - 1; i >= 0; i--) {
    const pivot = l[i * order + i]!;
    b[i] = pivot === 0 ? 0 : b[i]! / pivot;
    addMultiple(b, 0, -b[i]!, l, i * order, i);
  }
}

/** x = (L L')^-1 b in place: both of the solves above. */
export function solveFactored(l: Float64Array, order: number, b: Float64Array): void {
  solveLower(l, order, b);
  solveLowerTransposed(l, order, b);
}

/** Diagonal of (L L')^-1 [order] for an L without zero pivots: squared norms of the columns of L^-1, order^3 / 3 steps. */
export function inverseDiagonal(l: Float64Array, order: number): Float64Array {
  const diagonal = new Float64Array(order);
  const columns = new Float64Array(4 * order);
  const tile = new Float64Array(16);
  for (let j = 0; j < order; j += 4) {
    const width = Math.min(4, order - j);
    columns.fill(0);
    for (let i = j; i < order; i += 4) {
      const height = Math.min(4, order - i);
      if (height === 4) rowProducts(columns, j, order, l, i * order + j, order, i - j, tile);
      else {
        for (let s = 0; s < width; s++) {
          for (let r = 0; r < height; r++) {
            tile[4 * s + r] = dot(columns, s * order + j, l, (i + r) * order + j, i - j);
          }
        }
      }
      for (let s = 0; s < width; s++) {
        for (let r = 0; r < height; r++) {
          const row = (i + r) * order;
          let value = (i + r === j + s ? 1 : 0) - tile[4 * s + r]!;
          for (let p = 0; p < r; p++) value -= l[row + i + p]! * columns[s * order + i + p]!;
          columns[s * order + i + r] = value / l[row + i + r]!;
        }
      }
    }
    for (let s = 0; s < width; s++) diagonal[j + s] = dot(columns, s * order, columns, s * order, order);
  }
  return diagonal;
}
