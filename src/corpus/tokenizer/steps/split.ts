import type { Matcher } from "./patterns.js";

/** What becomes of the matches when a text is split at them. */
export type SplitBehavior = (typeof splitBehaviors)[number];

export const splitBehaviors = ["Isolated", "Removed", "Contiguous", "MergedWithPrevious", "MergedWithNext"] as const;

/**
 * Splits a text at the matches of a pattern, as the Rust tokenizers do.
 * @param invert what is between matches counts as the match
 * @returns start and end of each piece that is not empty, one after the other
 */
export function splitText(text: string, match: Matcher, behavior: SplitBehavior, invert = false): number[] {
  const pieces: number[] = [];
  for (const { start, end, isMatch } of joined(allSpans(text, match(text), invert), behavior)) {
    if (start < end && !(isMatch && behavior === "Removed")) pieces.push(start, end);
  }
  return pieces;
}

interface Span {
  start: number;
  end: number;
  isMatch: boolean;
}

/** Matches and what is between them. */
function allSpans(text: string, matches: number[], invert: boolean): Span[] {
  const spans: Span[] = [];
  let end = 0;
  for (let i = 0; i < matches.length; i += 2) {
    const start = matches[i]!;
    if (start > end) spans.push({ start: end, end: start, isMatch: invert });
    end = matches[i + 1]!;
    spans.push({ start, end, isMatch: !invert });
  }
  if (end < text.length) spans.push({ start: end, end: text.length, isMatch: invert });
  return spans;
}

function joined(spans: Span[], behavior: SplitBehavior): Span[] {
  if (behavior === "Contiguous") return mergeInto(spans, (isMatch, previous) => isMatch === previous);
  if (behavior === "MergedWithPrevious") return mergeInto(spans, (isMatch, previous) => isMatch && !previous);
  if (behavior !== "MergedWithNext") return spans;
  return mergeInto(spans.toReversed(), (isMatch, previous) => isMatch && !previous).reverse();
}

/** Joins each span to the one before it, in the order given, where `joins` says so of whether they are matches. */
function mergeInto(spans: readonly Span[], joins: (isMatch: boolean, previous: boolean) => boolean): Span[] {
  const merged: Span[] = [];
  let previous = false;
  for (const span of spans) {
    const last = merged.at(-1);
    if (last !== undefined && joins(span.isMatch, previous)) {
      last.start = Math.min(last.start, span.start);
      last.end = Math.max(last.end, span.end);
    } else merged.push({ ...span });
    previous = span.isMatch;
  }
  return merged;
}
