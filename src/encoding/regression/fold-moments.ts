import { InputError } from "../../errors.js";
import type { Gram } from "../../linalg/gram.js";
import { foldRows, joinTriangle } from "../../linalg/qr.js";
import type { Matrix } from "../../tensor/matrix.js";

/** Cross-validation folds: token w is in fold w mod 10. */
export const foldCount = 10;

/** Rows turned into float64 at a time: enough for a fast product; of very wide ones fewer, so that a block stays small beside E. */
const blockRows = 1024;
const maxBlockNumbers = 2 ** 22;

/** Rows of E, chosen by token id, with one or more responses y at each of them. */
export interface Rows {
  /** E, [V, d]. */
  embedding: Matrix<Float32Array>;
  /** Rows of E to use, [R]. */
  tokenIds: Int32Array;
  /** Response vectors, [R] each, in the order of tokenIds. */
  responses: readonly Float64Array[];
}

/**
 * All that least squares of any response on E needs: sums and cross products of the vectors
 * [1, E_w - shift, y_w - shift_y] over the tokens of each fold, from one pass over E. What leaves a fold out is the total
 * less that fold.
 */
export interface FoldMoments {
  /** d. */
  columns: number;
  /** Number of responses. */
  responses: number;
  /** Mean of every column of E and of every response, [d + responses]. */
  shift: Float64Array;
  /** Lower triangles, row after row: (i, j) at i (i + 1) / 2 + j; index 0 is the constant 1. */
  folds: Float64Array[];
  total: Float64Array;
}

/** @throws InputError if a row of E or a response is not finite, or a token id is not a row of E */
export async function foldMoments(rows: Rows, gram: Gram): Promise<FoldMoments> {
  const shift = means(rows);
  const order = 1 + shift.length;
  const folds: Float64Array[] = [];
  const total = new Float64Array(packedLength(order));
  const room = newBlock(order);
  for (const members of foldMembers(rows.tokenIds)) {
    const fold = new Float64Array(total.length);
    for (const { block, count } of blocks(rows, shift, members, room))
      addPacked(fold, await gram(block, count, order), order);
    for (let p = 0; p < total.length; p++) total[p]! += fold[p]!;
    folds.push(fold);
  }
  return { columns: rows.embedding.columns, responses: rows.responses.length, shift, folds, total };
}

/**
 * The same as triangular factors R (R'R = the cross products), upper triangular, row-major [1 + d + responses] squared: of
 * the whole, and of what leaves each fold out. Several times the work, in plain JavaScript, but the condition number is not
 * squared.
 */
export function foldTriangles(rows: Rows, shift: Float64Array): { total: Float64Array; leavingOut: Float64Array[] } {
  const order = 1 + shift.length;
  const room = newBlock(order);
  const folds = foldMembers(rows.tokenIds).map((members) => {
    const triangle = new Float64Array(order * order);
    for (const { block, count } of blocks(rows, shift, members, room)) foldRows(triangle, order, block, count);
    return triangle;
  });
  const join = (a: Float64Array, b: Float64Array): Float64Array => {
    const joined = a.slice();
    joinTriangle(joined, order, b);
    return joined;
  };
  // What comes before each fold, joined to what comes after it.
  const before: Float64Array[] = [new Float64Array(order * order)];
  for (const fold of folds) before.push(join(before.at(-1)!, fold));
  const leavingOut: Float64Array[] = [];
  let after: Float64Array = new Float64Array(order * order);
  for (let k = foldCount - 1; k >= 0; k--) {
    leavingOut[k] = join(before[k]!, after);
    after = join(after, folds[k]!);
  }
  return { total: before[foldCount]!, leavingOut };
}

/** Positions in tokenIds of the tokens of each fold. */
export function foldMembers(tokenIds: Int32Array): Int32Array[] {
  const members: number[][] = Array.from({ length: foldCount }, () => []);
  for (const [index, id] of tokenIds.entries()) members[id % foldCount]!.push(index);
  return members.map((list) => Int32Array.from(list));
}

/** Where (i, j), j <= i, lies in a packed lower triangle. */
export function packedIndex(i: number, j: number): number {
  return (i * (i + 1)) / 2 + j;
}

function packedLength(order: number): number {
  return packedIndex(order, 0);
}

function addPacked(packed: Float64Array, products: Float64Array, order: number): void {
  let at = 0;
  for (let i = 0; i < order; i++) {
    for (let j = 0; j <= i; j++) packed[at++]! += products[i * order + j]!;
  }
}

/** Means of the columns and the responses, [d + responses], checking every number on the way. */
function means({ embedding, tokenIds, responses }: Rows): Float64Array {
  const { columns, data } = embedding;
  const sums = new Float64Array(columns + responses.length);
  for (const id of tokenIds) {
    if (!(id >= 0 && id < embedding.rows)) {
      throw new InputError("token ids", `${id} is not a row of the output embedding (${embedding.rows} rows)`);
    }
    const row = id * columns;
    let rowSum = 0;
    for (let j = 0; j < columns; j++) {
      const value = data[row + j]!;
      rowSum += value;
      sums[j]! += value;
    }
    // A sum of finite float32 numbers is finite in float64.
    if (!Number.isFinite(rowSum)) throw notFinite(data, row, id, columns);
  }
  for (const [r, response] of responses.entries()) {
    for (const value of response) sums[columns + r]! += value;
    if (!Number.isFinite(sums[columns + r]!)) throw new InputError(`response ${r}`, "a number is NaN or infinite");
  }
  return sums.map((sum) => sum / tokenIds.length);
}

function notFinite(data: Float32Array, row: number, id: number, columns: number): InputError {
  const column = data.subarray(row, row + columns).findIndex((value) => !Number.isFinite(value));
  return new InputError("output embedding", `row ${id} (token id), column ${column} is ${data[row + column]}`);
}

/** The shifted rows [1, E_w - shift, y_w - shift_y] of some tokens, a block at a time; the block is used again. */
function* blocks(
  rows: Rows,
  shift: Float64Array,
  members: Int32Array,
  block: Float64Array,
): Generator<{ block: Float64Array; count: number }> {
  const { embedding, tokenIds, responses } = rows;
  const { columns, data } = embedding;
  const width = 1 + shift.length;
  const height = Math.floor(block.length / width);
  for (let start = 0; start < members.length; start += height) {
    const count = Math.min(height, members.length - start);
    for (let r = 0; r < count; r++) {
      const index = members[start + r]!;
      const from = tokenIds[index]! * columns;
      const to = r * width + 1;
      block[to - 1] = 1;
      for (let j = 0; j < columns; j++) block[to + j] = data[from + j]! - shift[j]!;
      for (let k = 0; k < responses.length; k++) block[to + columns + k] = responses[k]![index]! - shift[columns + k]!;
    }
    yield { block, count };
  }
}

/** Room for the rows of one block. @param width numbers in a row */
function newBlock(width: number): Float64Array {
  const numbers = width * Math.max(64, Math.min(blockRows, Math.floor(maxBlockNumbers / width)));
  // Shared, where that is possible, so that a worker that multiplies it gets no copy: those add up before they are collected.
  return typeof SharedArrayBuffer === "undefined"
    ? new Float64Array(numbers)
    : new Float64Array(new SharedArrayBuffer(8 * numbers));
}
