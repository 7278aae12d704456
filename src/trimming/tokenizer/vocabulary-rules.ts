/** What one kind of tokenizer model (BPE, Unigram, ...) needs so that it stays whole when tokens go. */
export interface VocabularyRules {
  /** Tokens without which some text could not be read any more: bytes, the alphabet, what stands for unknown text. */
  readonly always: ReadonlySet<number>;
  /** Whether any text comes back as it went in, whatever tokens go: there is a token for every byte. */
  readonly readsEverything: boolean;
  /** What has to stay where a token does, itself included: the parts that it is merged from. */
  needs(id: number): readonly number[];
  /** Whether text can give the token at all; some vocabularies have tokens that their merges never make. */
  reachable(id: number): boolean;
  /** Whether the two sides of a merge and its result stay, for files that list merges. */
  keepsMerge?(left: string, right: string, stays: (id: number) => boolean): boolean;
  /** The `model` of tokenizer.json with the tokens that stay. @param newIds by old id, ascending */
  trimmed(newIds: ReadonlyMap<number, number>): Record<string, unknown>;
}

/** How a tokenizer spells characters that have no token, there and back. */
export interface BytePieces {
  /** Text is bytes, and each byte a token of one character. */
  readonly alphabet: boolean;
  /** A character without a token is its bytes, `<0xE2>` and so on. */
  readonly fallback: boolean;
}

/** The `model` of a tokenizer.json as it was parsed. */
export type TokenizerModel = Readonly<Record<string, unknown>>;

/** Tokens of a model whose vocabulary is an object, by token. */
export function tokenIdsOf(model: TokenizerModel): Map<string, number> {
  return new Map(Object.entries(model.vocab as Record<string, number>));
}

/** The entries of a vocabulary that stay, under their new ids. */
export function trimmedVocabulary(
  vocab: ReadonlyMap<string, number>,
  newIds: ReadonlyMap<number, number>,
): Record<string, number> {
  const kept = [...vocab].flatMap(([token, id]) => {
    const newId = newIds.get(id);
    return newId === undefined ? [] : [[token, newId] as const];
  });
  // Own properties whatever they are called; "__proto__" may be a token.
  return Object.fromEntries(kept.sort(([, a], [, b]) => a - b));
}

/** `<0x00>` to `<0xFF>`, which stand for the bytes of characters that have no token. */
export function byteFallbackTokens(vocab: ReadonlyMap<string, number>): number[] {
  return Array.from({ length: 256 }, (_, byte) =>
    vocab.get(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`),
  ).filter((id) => id !== undefined);
}

/** Tokens of one character each. */
export function characterTokens(vocab: ReadonlyMap<string, number>): number[] {
  return [...vocab].flatMap(([token, id]) => (Array.from(token).length === 1 ? [id] : []));
}
