import { type Comparison, largestMovers, type Mover } from "../../compare/comparison.js";

/** |log| of a factor below this is rounding of sums of float32 probabilities. */
const LEAST_MOVE = 1e-6;

/** The tokens that the page's tables name. */
export interface NotableMovers {
  /** Mean probability grew, or shrank, by the largest factor. */
  likelier: Mover[];
  rarer: Mover[];
  /** Mean probability changed by the largest difference. */
  byMass: Mover[];
}

/** @param each how many of each kind at most */
export function notableMovers(comparison: Comparison, each: number): NotableMovers {
  const movers = largestMovers(comparison, comparison.tokenIds.length).filter(
    ({ scale }) => Math.abs(Math.log(scale)) > LEAST_MOVE,
  );
  return {
    likelier: movers.filter(({ scale }) => scale > 1).slice(0, each),
    rarer: movers.filter(({ scale }) => scale < 1).slice(0, each),
    byMass: [...movers].sort((x, y) => Math.abs(y.b - y.a) - Math.abs(x.b - x.a) || x.id - y.id).slice(0, each),
  };
}
