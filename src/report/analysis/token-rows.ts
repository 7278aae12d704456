import type { Analysis } from "../../encoding/analysis.js";

/** One token of the regression, as the tables show it. */
export interface TokenRow {
  id: number;
  text: string;
  /** alpha_w. */
  observed: number;
  /** exp(-(A . E_w + B)). */
  fitted: number;
  /** Share of the text's own tokens that are this one. */
  corpusShare: number;
}

/** The tokens that the tables name: the likeliest, and those the encoding misses most and least. */
export interface NotableTokens {
  likeliest: TokenRow[];
  /** Truly likelier than the encoding says, worst first. */
  underestimated: TokenRow[];
  /** Truly rarer than the encoding says, worst first. */
  overestimated: TokenRow[];
  closest: TokenRow[];
}

export function notableTokens(analysis: Analysis, likeliest: number, each: number): NotableTokens {
  const { observed, fitted } = analysis.encoding;
  const miss = observed.map((value, i) => fitted[i]! - value);
  const row = tokenRow(analysis);
  return {
    likeliest: leastBy(observed, likeliest).map(row),
    underestimated: leastBy(negated(miss), each)
      .filter((i) => miss[i]! > 0)
      .map(row),
    overestimated: leastBy(miss, each)
      .filter((i) => miss[i]! < 0)
      .map(row),
    closest: leastBy(miss.map(Math.abs), each).map(row),
  };
}

/** Positions of the least values, least first, ties by position; what is not finite is left out. */
export function leastBy(keys: Float32Array | Float64Array, howMany: number): number[] {
  const positions = Array.from(keys.keys()).filter((i) => Number.isFinite(keys[i]));
  return positions.sort((a, b) => keys[a]! - keys[b]! || a - b).slice(0, howMany);
}

function negated(values: Float64Array): Float64Array {
  return values.map((value) => -value);
}

function tokenRow({ encoding, tokens, statistics }: Analysis): (position: number) => TokenRow {
  const total = statistics.tokenCounts.reduce((sum, times) => sum + times, 0);
  return (position) => {
    const id = encoding.tokenIds[position]!;
    return {
      id,
      text: tokens[id] ?? "",
      observed: Math.exp(-encoding.observed[position]!),
      fitted: Math.exp(-encoding.fitted[position]!),
      corpusShare: (statistics.tokenCounts[id] ?? 0) / total,
    };
  };
}
