import type { Tokenizer } from "../../corpus/tokenizer/tokenizer.js";
import type { TokenNames } from "./token-names.js";

/**
 * What tells a vocabulary from others: SHA-256 (hex) over the entries as it has them (texts would show pieces of characters
 * alike). Where there is no tokenizer, over as many null.
 */
export async function vocabularyHash(names: Tokenizer | TokenNames): Promise<string> {
  const entry = "entry" in names ? names.entry : () => undefined;
  const entries = Array.from({ length: names.vocabSize }, (_, id) => entry(id) ?? null);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(entries)));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
