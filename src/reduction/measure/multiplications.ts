import type { BeforeAfter } from "../../measures/before-after.js";
import type { Head } from "../../model/head/head.js";
import { boundBlocks, type ReducedHead } from "../../model/head/reduced-head.js";

/** What a reduced head multiplies for a token. */
export interface HeadWork {
  /** k. */
  readonly kept: number;
  /** Whether h is projected on k directions first, rather than k of its numbers picked. */
  readonly directions: boolean;
  /** Rows of E that are multiplied, where that depends on the context in the mean. Default none. */
  readonly rows?: number | undefined;
  /** Whether a bound says which rows these are. */
  readonly bounded?: boolean | undefined;
}

/** Numbers that the head multiplies for one token, original and reduced: V d; V k, and k d of directions, d of each row, (d - k) d + 4 V of a bound. */
export function headMultiplications(
  { vocabSize: V, hiddenSize: d }: Pick<Head, "vocabSize" | "hiddenSize">,
  { kept, directions, rows = 0, bounded = false }: HeadWork,
): BeforeAfter {
  const ofBound = bounded ? (d - kept) * d + boundBlocks * V : 0;
  return { before: V * d, after: Math.round(V * kept + (directions ? kept * d : 0) + rows * d + ofBound) };
}

/** Of a reduced head. @param rows of E that are multiplied, where that depends on the context: in the mean */
export function reducedMultiplications(
  head: Pick<Head, "vocabSize" | "hiddenSize">,
  { kept, coordinates, rescore, bound }: ReducedHead,
  rows = rescore,
): BeforeAfter {
  return headMultiplications(head, { kept, directions: coordinates === undefined, rows, bounded: bound !== undefined });
}
