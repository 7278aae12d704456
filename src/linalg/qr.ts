import { addMultiple, dot } from "./dot.js";

/**
 * Folds the rows of a block into the triangular factor R of the rows seen before, by Householder reflections: afterwards
 * R'R has grown by block' block, without ever squaring the condition (Golub & Van Loan, 5.2 and 6.5; "tall-skinny QR").
 * @param triangle upper triangular, row-major [order, order], zero at first; changed in place
 * @param block row-major [rows, order]
 */
export function foldRows(triangle: Float64Array, order: number, block: Float64Array, rows: number): void {
  const columns = new Float64Array(order * rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < order; j++) columns[j * rows + i] = block[i * order + j]!;
  }
  reflectColumns(triangle, order, columns, rows, () => rows);
}

/**
 * Folds another triangular factor into this one, at a third of the work of as many full rows: `triangle` becomes the
 * factor of the rows of both.
 * @param triangle upper triangular, row-major [order, order]; changed in place
 * @param other as well; not changed
 */
export function joinTriangle(triangle: Float64Array, order: number, other: Float64Array): void {
  const columns = new Float64Array(order * order);
  for (let i = 0; i < order; i++) {
    for (let j = i; j < order; j++) columns[j * order + i] = other[i * order + j]!;
  }
  reflectColumns(triangle, order, columns, order, (j) => j + 1);
}

/** @param depth how many of the rows of the first j + 1 columns can hold anything but zero */
function reflectColumns(
  triangle: Float64Array,
  order: number,
  columns: Float64Array,
  stride: number,
  depth: (j: number) => number,
): void {
  for (let j = 0; j < order; j++) {
    const rows = depth(j);
    const squares = dot(columns, j * stride, columns, j * stride, rows);
    if (squares === 0) continue;
    const corner = triangle[j * order + j]!;
    const length = Math.sqrt(corner * corner + squares);
    const reflected = corner > 0 ? -length : length;
    const head = corner - reflected;
    const factor = 2 / (head * head + squares);
    triangle[j * order + j] = reflected;
    for (let k = j + 1; k < order; k++) {
      const above = triangle[j * order + k]!;
      const share = factor * (head * above + dot(columns, j * stride, columns, k * stride, rows));
      triangle[j * order + k] = above - share * head;
      addMultiple(columns, k * stride, -share, columns, j * stride, rows);
    }
  }
}

export interface PivotedQr {
  /** Number of columns found independent. */
  rank: number;
  /** Column k of the factor is column pivots[k] of the matrix; the first `rank` are the independent ones. */
  pivots: Int32Array;
  /** Upper trapezoidal, row-major [rank, columns]: element (i, k) at i * columns + k. */
  factor: Float64Array;
  /** The first `rank` elements of Q'b for every b given. */
  rotated: Float64Array[];
}

/**
 * Householder QR with column pivoting (Golub & Van Loan, 5.4.2).
 * @param columns the matrix, column by column: element (i, j) at j * rows + i
 * @param rightSides vectors b [rows]
 * @param tolerance columns whose remaining norm is at most this times the largest column's are dependent
 */
export function pivotedQr(
  columns: Float64Array,
  rows: number,
  columnCount: number,
  rightSides: readonly Float64Array[],
  tolerance: number,
): PivotedQr {
  const a = columns.slice();
  const pivots = Int32Array.from({ length: columnCount }, (_, index) => index);
  const remaining = Float64Array.from(pivots, (j) => dot(a, j * rows, a, j * rows, rows));
  const reference = remaining.slice();
  const rotated = rightSides.map((side) => side.slice());
  const smallest = tolerance * tolerance * remaining.reduce((most, squares) => Math.max(most, squares), 0);
  const limit = Math.min(rows, columnCount);
  let rank = 0;
  for (; rank < limit; rank++) {
    exchange(a, rows, pivots, remaining, reference, rank, indexOfLargest(remaining, rank));
    const start = rank * rows + rank;
    const length = rows - rank;
    const squares = dot(a, start, a, start, length);
    if (!(squares > smallest)) break;
    const corner = a[start]!;
    const reflected = corner > 0 ? -Math.sqrt(squares) : Math.sqrt(squares);
    const factor = 1 / (squares - corner * reflected);
    a[start] = corner - reflected;
    for (let k = rank + 1; k < columnCount; k++) {
      addMultiple(a, k * rows + rank, -factor * dot(a, start, a, k * rows + rank, length), a, start, length);
      downdate(a, rows, k, rank, remaining, reference);
    }
    for (const side of rotated) addMultiple(side, rank, -factor * dot(a, start, side, rank, length), a, start, length);
    a[start] = reflected;
  }
  const factor = new Float64Array(rank * columnCount);
  for (let i = 0; i < rank; i++) {
    for (let k = i; k < columnCount; k++) factor[i * columnCount + k] = a[k * rows + i]!;
  }
  return { rank, pivots, factor, rotated: rotated.map((side) => side.slice(0, rank)) };
}

/** Takes the row just finished off a column's remaining norm; counts anew where little of it is left to be trusted. */
function downdate(
  a: Float64Array,
  rows: number,
  k: number,
  row: number,
  remaining: Float64Array,
  reference: Float64Array,
): void {
  const left = remaining[k]! - a[k * rows + row]! ** 2;
  if (left > 1e-6 * reference[k]!) {
    remaining[k] = left;
    return;
  }
  const start = k * rows + row + 1;
  remaining[k] = dot(a, start, a, start, rows - row - 1);
  reference[k] = remaining[k]!;
}

function indexOfLargest(values: Float64Array, start: number): number {
  let index = start;
  for (let k = start + 1; k < values.length; k++) if (values[k]! > values[index]!) index = k;
  return index;
}

function exchange(
  a: Float64Array,
  rows: number,
  pivots: Int32Array,
  remaining: Float64Array,
  reference: Float64Array,
  j: number,
  k: number,
): void {
  if (j === k) return;
  const column = a.slice(j * rows, (j + 1) * rows);
  a.copyWithin(j * rows, k * rows, (k + 1) * rows);
  a.set(column, k * rows);
  for (const list of [pivots, remaining, reference]) {
    const kept = list[j]!;
    list[j] = list[k]!;
    list[k] = kept;
  }
}
