import type { Tokenizer } from "../../corpus/tokenizer/tokenizer.js";

/** The tokens of a vocabulary by their texts. */
export interface TokenCatalogue {
  /** Ids that have a token, ascending. */
  readonly ids: readonly number[];
  /** Text of each of `ids`. */
  readonly texts: readonly string[];
  /** The tokens that a text shows, ascending. */
  readonly idsOf: ReadonlyMap<string, readonly number[]>;
}

const catalogues = new WeakMap<Tokenizer, TokenCatalogue>();

/** Made once for a tokenizer: a list of a thousand edits looks up as many texts. */
export function tokenCatalogue(tokenizer: Tokenizer): TokenCatalogue {
  const made = catalogues.get(tokenizer);
  if (made) return made;
  const { vocabSize, produces, tokenText } = tokenizer;
  const ids = Array.from({ length: vocabSize }, (_, id) => id).filter(produces);
  const texts = ids.map(tokenText);
  const idsOf = new Map<string, number[]>();
  for (const [index, text] of texts.entries()) {
    const same = idsOf.get(text);
    if (same) same.push(ids[index]!);
    else idsOf.set(text, [ids[index]!]);
  }
  const catalogue = { ids, texts, idsOf };
  catalogues.set(tokenizer, catalogue);
  return catalogue;
}
