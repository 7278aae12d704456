import type { BlockRows } from "../../../tensor/blocks/block-rows.js";
import { type Move, nearestTwo } from "./nearest-two.js";

/** What is left of a move of ln alpha, and how much of it may be. */
export interface WantedMove {
  readonly alpha: number;
  /** Move of ln alpha. */
  readonly wanted: number;
  readonly enough: number;
}

/** Moves of single codes before the last two: of fine types many make little, of coarse ones few are enough. */
const mostMoves = 1024;

/** A weight among all rows', its code one up or down, and by how much that moves ln alpha. */
interface Candidate extends Move {
  readonly sign: 1 | -1;
}

/**
 * Rows in blocks with single codes moved to the next one until ln alpha has moved as far as is wanted, as nearly as codes allow:
 * as few as can be, then two that nearly cancel.
 * @param values as rounded, [m, d], changed in place  @param gradient derivatives of alpha by them
 * @param rows that may be moved
 */
export function moveCodes(
  blocks: BlockRows,
  values: Float64Array,
  gradient: Float64Array,
  rows: readonly number[],
  { d, alpha, wanted, enough }: WantedMove & { readonly d: number },
): void {
  const candidates = rows.flatMap((j) => candidatesOf(blocks, values, gradient, j, d, alpha));
  const chosen = new Map<number, 1 | -1>();
  let left = wanted;
  const take = ({ at, sign, effect }: Candidate) => {
    chosen.set(at, sign);
    left -= effect;
  };
  for (let move = 0; move < mostMoves && Math.abs(left) > enough; move++) {
    const best = nearest(candidates, left, chosen);
    if (best === undefined) break;
    take(best);
  }
  if (Math.abs(left) > enough) {
    const free = candidates.filter(({ at }) => !chosen.has(at));
    for (const one of nearestTwo(free, left) ?? []) take(one);
  }
  for (const j of rows) {
    const moves = Int8Array.from({ length: d }, (_, i) => chosen.get(j * d + i) ?? 0);
    if (moves.some((sign) => sign !== 0)) values.set(blocks.moved(values.slice(j * d, (j + 1) * d), moves), j * d);
  }
}

function candidatesOf(
  blocks: BlockRows,
  values: Float64Array,
  gradient: Float64Array,
  j: number,
  d: number,
  alpha: number,
): Candidate[] {
  const { up, down } = blocks.steps(values.slice(j * d, (j + 1) * d));
  const found: Candidate[] = [];
  for (let i = 0; i < d; i++) {
    for (const [sign, step] of [
      [1, up[i]!],
      [-1, down[i]!],
    ] as const) {
      const effect = (gradient[j * d + i]! * step) / alpha;
      if (effect !== 0) found.push({ at: j * d + i, sign, effect });
    }
  }
  return found;
}

/** The one that leaves least; undefined if none leaves less than there is. */
function nearest(
  candidates: readonly Candidate[],
  left: number,
  chosen: ReadonlyMap<number, unknown>,
): Candidate | undefined {
  let best: Candidate | undefined;
  let error = Math.abs(left);
  for (const candidate of candidates) {
    const after = Math.abs(left - candidate.effect);
    if (after < error && !chosen.has(candidate.at)) [best, error] = [candidate, after];
  }
  return best;
}
