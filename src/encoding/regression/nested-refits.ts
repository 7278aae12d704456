import { cholesky, solveLower } from "../../linalg/cholesky.js";
import { type FoldMoments, packedIndex } from "./fold-moments.js";

/** Centred cross products of the columns of E and of one response, over all rows. */
export interface CentredProducts {
  /** X'X, symmetric, [d, d] row-major. */
  columns: Float64Array;
  /** X'y, [d]. */
  response: Float64Array;
  /** y'y. */
  totalSumOfSquares: number;
}

/** @param response which of the responses */
export function centredProducts({ total, columns, responses }: FoldMoments, response: number): CentredProducts {
  if (response >= responses) throw new RangeError(`there is no response ${response}`);
  const y = columns + response;
  const centred = (i: number, j: number) =>
    total[packedIndex(i + 1, j + 1)]! - (total[packedIndex(i + 1, 0)]! / total[0]!) * total[packedIndex(j + 1, 0)]!;
  const products = new Float64Array(columns * columns);
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j <= i; j++) {
      products[i * columns + j] = centred(i, j);
      products[j * columns + i] = products[i * columns + j]!;
    }
  }
  return {
    columns: products,
    response: Float64Array.from({ length: columns }, (_, j) => centred(y, j)),
    totalSumOfSquares: centred(y, y),
  };
}

/** A column that the ones before it explain but for this part of its variance adds nothing that could be told from rounding. */
const dependentPart = 1e-12;

/**
 * R2 of the regressions on the first 1, 2, ... k columns of an order, all from one factorisation: with L L' = X'X and
 * c = L^-1 X'y, the first k columns explain c_1^2 + ... + c_k^2 of y'y.
 * @param order columns of E, [k]
 */
export function nestedR2({ columns, response, totalSumOfSquares }: CentredProducts, order: Int32Array): Float64Array {
  const d = response.length;
  const k = order.length;
  const scales = Float64Array.from(order, (column) => Math.sqrt(columns[column * d + column]!) || 1);
  const lower = new Float64Array(k * k);
  for (let i = 0; i < k; i++) {
    for (let j = 0; j <= i; j++) lower[i * k + j] = columns[order[i]! * d + order[j]!]! / (scales[i]! * scales[j]!);
  }
  cholesky(lower, k, dependentPart);
  const explained = Float64Array.from(order, (column, i) => response[column]! / scales[i]!);
  solveLower(lower, k, explained);
  let sum = 0;
  return explained.map((value) => {
    sum += value * value;
    return sum / totalSumOfSquares;
  });
}
