import type { Comparison } from "../../compare/comparison.js";
import { packFloat32, packInt32 } from "../page/packed-numbers.js";
import { type DivergenceBin, divergenceBins, type ExceedancePoint, exceedance } from "./divergence-curves.js";

/** What the figures of a comparison are drawn from, as it lies in the page. */
export interface ComparisonPageData {
  /** Tokens that text can hold, [R] each. */
  tokens: string[];
  /** int32. */
  ids: string;
  /** -log alpha under each model, float32, nats. */
  a: string;
  b: string;
  divergences: { [Measure in DivergenceName]: { bins: DivergenceBin[]; exceedance: ExceedancePoint[] } };
}

export type DivergenceName = "kl" | "reverseKl" | "js";

/** As the page calls them, and the colours that its figures draw them in. */
export const divergenceLooks: Record<DivergenceName, { name: string; colour: string }> = {
  kl: { name: "KL(A ‖ B)", colour: "var(--accent)" },
  reverseKl: { name: "KL(B ‖ A)", colour: "var(--warm)" },
  js: { name: "Jensen–Shannon", colour: "var(--green)" },
};

/** Longer token texts carry no more information to a reader; the longest real ones are runs of spaces or dashes. */
const MAX_TOKEN_CHARACTERS = 64;

export function comparisonPageData({ tokens, tokenIds, meanProbability, perContext }: Comparison): ComparisonPageData {
  const negativeLog = (probability: Float64Array) => Float32Array.from(tokenIds, (id) => -Math.log(probability[id]!));
  const curves = (values: Float32Array) => ({ bins: divergenceBins(values), exceedance: exceedance(values) });
  return {
    tokens: Array.from(tokenIds, (id) => tokens[id]!.slice(0, MAX_TOKEN_CHARACTERS)),
    ids: packInt32(tokenIds),
    a: packFloat32(negativeLog(meanProbability.a)),
    b: packFloat32(negativeLog(meanProbability.b)),
    divergences: {
      kl: curves(perContext.kl),
      reverseKl: curves(perContext.reverseKl),
      js: curves(perContext.js),
    },
  };
}
