import type { StoredIds } from "../corpus.js";

/** How ids are cut into windows. */
export interface WindowShape {
  /** Tokens per window, those that begin it among them. */
  readonly contextLength: number;
  /** Ids that every window begins with. */
  readonly beginOfText: readonly number[];
}

/** Ids of the text in a whole window. */
export function idsPerWindow({ contextLength, beginOfText }: WindowShape): number {
  return contextLength - beginOfText.length;
}

/** Tokens that so many ids of a text become in windows, with those that begin each of them. */
export function windowedTokens(
  { count, ...stored }: Pick<StoredIds, "count" | "contextLength" | "beginOfText">,
  shape: WindowShape = stored,
): number {
  return count + shape.beginOfText.length * Math.ceil(count / idsPerWindow(shape));
}

/** Windows that so many ids become. @param maxTokens as `windows` takes it: the tokens that begin windows count */
export function windowCount(
  stored: Pick<StoredIds, "count" | "contextLength" | "beginOfText">,
  shape: WindowShape,
  maxTokens = Number.POSITIVE_INFINITY,
): number {
  return Math.ceil(Math.min(windowedTokens(stored, shape), maxTokens) / shape.contextLength);
}

/** Ids of a text that fill windows of so many tokens in all: the inverse of windowedTokens. */
export function idsWithin(maxTokens: number, shape: WindowShape): number {
  const whole = Math.floor(maxTokens / shape.contextLength);
  const left = maxTokens - whole * shape.contextLength;
  return whole * idsPerWindow(shape) + Math.max(0, left - shape.beginOfText.length);
}
