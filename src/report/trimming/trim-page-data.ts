import type { MassPoint } from "../../trimming/measure/mass-curve.js";
import type { TrimRun } from "../../trimming/trim-run.js";

/** What the figure of a trimming is drawn from, as it lies in the page. */
export interface TrimPageData {
  readonly curve: readonly MassPoint[];
  readonly chosen: MassPoint;
}

export function trimPageData({ curve, kept, removed }: TrimRun): TrimPageData {
  return { curve, chosen: { vocabSize: kept.tokens, removedMass: removed.mass, removedOfText: removed.ofText } };
}
