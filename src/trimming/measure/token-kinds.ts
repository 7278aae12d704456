import type { Tokenizer } from "../../corpus/tokenizer/tokenizer.js";
import type { TokenUsage } from "../plan/token-usage.js";

/** Scripts that most vocabularies have letters of; what else there is counts as other letters. */
const scripts = [
  ...["Latin", "Cyrillic", "Greek", "Han", "Hiragana", "Katakana", "Hangul", "Arabic", "Hebrew", "Devanagari"],
  ...["Bengali", "Tamil", "Telugu", "Thai", "Georgian", "Armenian"],
];
const patterns = scripts.map((script) => [script, new RegExp(`\\p{Script=${script}}`, "u")] as const);

/** What became of the tokens of one kind. */
export interface TokenKind {
  /** A script, or what they are otherwise. */
  readonly kind: string;
  /** Tokens. */
  readonly before: number;
  readonly after: number;
  /** Mean output probability of those that go. */
  readonly removed: number;
  /** Share of the text's tokens that those that go are. */
  readonly removedOfText: number;
}

/** Tokens by script and kind, the largest first. */
export function tokenKinds(tokenizer: Tokenizer, usage: TokenUsage, kept: Int32Array): TokenKind[] {
  const stays = new Set(kept);
  const kinds = new Map<string, { before: number; after: number; removed: number; removedOfText: number }>();
  for (let id = 0; id < usage.meanProbability.length; id++) {
    if (!tokenizer.produces(id)) continue;
    const kind = kindOf(tokenizer, id);
    const found = kinds.get(kind) ?? { before: 0, after: 0, removed: 0, removedOfText: 0 };
    found.before++;
    if (stays.has(id)) found.after++;
    else {
      found.removed += usage.meanProbability[id]!;
      found.removedOfText += usage.counts[id]! / usage.contexts;
    }
    kinds.set(kind, found);
  }
  return [...kinds].map(([kind, found]) => ({ kind, ...found })).sort((a, b) => b.before - a.before);
}

function kindOf(tokenizer: Tokenizer, id: number): string {
  if (tokenizer.isSpecial(id)) return "special";
  const text = tokenizer.tokenText(id);
  if (text.includes("\ufffd") || text === "") return "pieces of characters";
  const script = patterns.find(([, pattern]) => pattern.test(text));
  if (script !== undefined) return script[0];
  if (/\p{L}/u.test(text)) return "other letters";
  if (/\p{N}/u.test(text)) return "numbers";
  return /^\s+$/u.test(text) ? "white space" : "signs";
}
