import { blockWindows } from "./collected-sums.js";

/** Part `part` of `parts` of a text, counted from 1. */
export interface PartOfText {
  readonly part: number;
  readonly parts: number;
}

/**
 * The windows of one part of a text: parts are as near to one size as can be where they are cut at multiples of 64 windows,
 * which is what lets them merge to the bits of the whole.
 * @param windows of the whole text @returns the first window, and the one after the last; both are the same where there are more parts than blocks
 */
export function partWindows(windows: number, { part, parts }: PartOfText): { first: number; end: number } {
  const blocks = Math.ceil(windows / blockWindows);
  // Exact for all texts there are: blocks * parts stays below 2^53.
  const cut = (index: number) => Math.min(windows, Math.floor((blocks * index) / parts) * blockWindows);
  return { first: cut(part - 1), end: cut(part) };
}
