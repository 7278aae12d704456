import { rankedByUse } from "../plan/kept-tokens.js";
import type { TokenUsage } from "../plan/token-usage.js";

/** What the most used tokens of a vocabulary leave out. */
export interface MassPoint {
  readonly vocabSize: number;
  /** Mean output probability of all others. */
  readonly removedMass: number;
  /** Share of the text's tokens that all others are. */
  readonly removedOfText: number;
}

const points = 96;

/**
 * Mass against vocabulary size: the k most used tokens by themselves, without what tokenizers need besides. Sizes are evenly
 * spaced on a logarithmic scale.
 */
export function massCurve(usage: TokenUsage): MassPoint[] {
  const ranked = rankedByUse(usage);
  const V = ranked.length;
  const first = Math.min(16, V);
  const sizes = new Set(
    Array.from({ length: points }, (_, i) => Math.round(first * (V / first) ** (i / (points - 1)))),
  );
  const curve: MassPoint[] = [];
  let [mass, ofText] = [0, 0];
  // From the rarest on, so that what is left over keeps its digits.
  for (let size = V; size >= first; size--) {
    if (sizes.has(size)) curve.push({ vocabSize: size, removedMass: mass, removedOfText: ofText });
    const id = ranked[size - 1]!;
    mass += usage.meanProbability[id]!;
    ofText += usage.counts[id]! / usage.contexts;
  }
  return curve.reverse();
}
