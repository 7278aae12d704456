import { cholesky, solveLower } from "../../linalg/cholesky.js";
import type { Rotation } from "./expansion.js";
import type { HiddenMoments } from "./output-moments.js";

/**
 * One way of reducing, at all sizes: with k numbers kept, h' = base + C_k a_k, the first k columns of C and the first k of
 * a = R (h - base). What is kept of h at one size is kept at all larger ones, and counts for the same.
 */
export interface Chain {
  /** r: at most d. */
  readonly rank: number;
  /** R, [r, d]. */
  readonly reader: Float64Array;
  /** Columns of C as rows, [r, d]. */
  readonly basis: Float64Array;
  /** What h counts as where nothing is kept, [d]. */
  readonly base: Float64Array;
}

/** Deleted coordinates count as 0; with their mean as the base, as that. @param keep the last to be deleted first, [d] */
export function droppingChain(keep: Int32Array): Chain {
  const d = keep.length;
  const unit = new Float64Array(d * d);
  for (const [j, i] of keep.entries()) unit[j * d + i] = 1;
  return { rank: d, reader: unit, basis: unit, base: new Float64Array(d) };
}

/**
 * Deleted coordinates count as their best linear prediction from those kept. With L L' the covariance in the order of
 * keeping, L^-1 (h - mean) are uncorrelated numbers, the first k of which the first k coordinates tell, and the first k
 * columns of L are what these predict of all: `predictCoordinates` at every k. Coordinates that those before them give away add nothing.
 * @param keep the last to be deleted first, [d]
 */
export function predictingChain(keep: Int32Array, { mean, covariance }: HiddenMoments): Chain {
  const d = keep.length;
  const factor = new Float64Array(d * d);
  for (let a = 0; a < d; a++) for (let b = 0; b <= a; b++) factor[a * d + b] = covariance[keep[a]! * d + keep[b]!]!;
  cholesky(factor, d);
  const [reader, basis] = [new Float64Array(d * d), new Float64Array(d * d)];
  const column = new Float64Array(d);
  for (let b = 0; b < d; b++) {
    column.fill(0)[b] = 1;
    solveLower(factor, d, column);
    for (let a = b; a < d; a++) {
      reader[a * d + keep[b]!] = column[a]!;
      basis[b * d + keep[a]!] = factor[a * d + b]!;
    }
  }
  return { rank: d, reader, basis, base: mean };
}

/** The most important directions first. */
export function rotatingChain({ values, projection, basis, mean }: Rotation): Chain {
  return { rank: values.length, reader: projection, basis, base: mean };
}
