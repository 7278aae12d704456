import type { Tokenizer } from "../../corpus/tokenizer/tokenizer.js";
import { tokenCatalogue } from "./token-catalogue.js";

/** Tokens offered where the one asked for does not exist. */
const offered = 5;

/**
 * Ids of the tokens whose text is nearest to one that is no token: first by edit distance without regard to case and outer
 * spaces, then with it. Where that leaves room, tokens that begin with the text, or that it begins with.
 */
export function nearTokens(text: string, tokenizer: Tokenizer): number[] {
  const { ids, texts } = tokenCatalogue(tokenizer);
  const plain = (value: string) => value.trim().toLowerCase();
  const wanted = plain(text);
  const limit = Math.min(Math.floor(wanted.length / 2), maxDistance);
  const found: { id: number; distance: number; other: string }[] = [];
  for (const [index, id] of ids.entries()) {
    const other = plain(texts[index]!);
    if (other === "" || wanted === "" || tokenizer.isSpecial(id)) continue;
    const distance = editDistance(wanted, other, limit);
    if (distance <= limit) found.push({ id, distance, other });
    else if (Math.min(other.length, wanted.length) > 1 && (other.startsWith(wanted) || wanted.startsWith(other))) {
      found.push({ id, distance: maxDistance + Math.abs(other.length - wanted.length), other });
    }
  }
  const exact = new Map(found.map(({ id }) => [id, editDistance(text, tokenizer.tokenText(id), maxDistance)]));
  return found
    .sort((a, b) => a.distance - b.distance || exact.get(a.id)! - exact.get(b.id)! || a.id - b.id)
    .slice(0, offered)
    .map(({ id }) => id);
}

/** More changes than this make another word. */
const maxDistance = 3;

/** Letters put in, left out or replaced to turn one text into the other; limit + 1 if it takes more than that. */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    if (Math.min(...next) > limit) return limit + 1;
    row = next;
  }
  return Math.min(row[b.length]!, limit + 1);
}
