import { type BytePieces, byteFallbackTokens, type TokenizerModel, type VocabularyRules } from "./vocabulary-rules.js";

type Piece = readonly [piece: string, score: number];

/**
 * Unigram: a text is cut into the pieces of the largest sum of scores. A best cut whose pieces all stay is the best of those
 * that are left. Without byte fallback, pieces stay that hold a character which no other piece spells. The piece of the lowest
 * score stays: what an unknown character costs is reckoned from it.
 */
export function unigramRules(model: TokenizerModel, bytes: BytePieces): VocabularyRules {
  const pieces = model.vocab as readonly Piece[];
  const ids = new Map(pieces.map(([piece], id) => [piece, id]));
  const always = new Set<number>();
  if (typeof model.unk_id === "number") always.add(model.unk_id);
  const fallback = bytes.fallback ? byteFallbackTokens(ids) : [];
  for (const id of fallback) always.add(id);
  if (fallback.length < 256) {
    for (const [id, [piece]] of pieces.entries()) if (!isSpelt(piece, ids)) always.add(id);
  }
  let lowest = 0;
  for (const [id, [, score]] of pieces.entries()) if (score < pieces[lowest]![1]) lowest = id;
  always.add(lowest);
  return {
    always,
    readsEverything: fallback.length === 256,
    needs: (id) => [id],
    reachable: () => true,
    trimmed(newIds) {
      const unkId = typeof model.unk_id === "number" ? { unk_id: newIds.get(model.unk_id)! } : {};
      return { ...model, ...unkId, vocab: pieces.filter((_, id) => newIds.has(id)) };
    },
  };
}

/** Whether other pieces of one character each spell a piece. */
function isSpelt(piece: string, ids: ReadonlyMap<string, number>): boolean {
  const characters = Array.from(piece);
  return characters.length > 1 && characters.every((character) => ids.has(character));
}
