import { InputError } from "../../errors.js";
import { type TokenizerModel, tokenIdsOf, trimmedVocabulary, type VocabularyRules } from "./vocabulary-rules.js";

/**
 * WordPiece: the longest token that a word begins with, then the longest that its rest begins with after `##`. Where the tokens
 * taken all stay, they still are the longest. Tokens stay that characters alone don't spell.
 */
export function wordPieceRules(place: string, model: TokenizerModel): VocabularyRules {
  const vocab = tokenIdsOf(model);
  const prefix = typeof model.continuing_subword_prefix === "string" ? model.continuing_subword_prefix : "##";
  const isSpelt = (token: string): boolean => {
    const inside = prefix !== "" && token.startsWith(prefix) && token !== prefix;
    const characters = Array.from(inside ? token.slice(prefix.length) : token);
    if (characters.length < 2) return false;
    return characters.every((character, i) => vocab.has(i > 0 || inside ? prefix + character : character));
  };
  const alphabet = [...vocab].flatMap(([token, id]) => (isSpelt(token) ? [] : [id]));
  return wholeWords(vocab, model, new Set([...alphabet, unknownOf(place, model, vocab)]));
}

/** WordLevel: a word is a token or unknown, and so is every word whose token goes. */
export function wordLevelRules(place: string, model: TokenizerModel): VocabularyRules {
  const vocab = tokenIdsOf(model);
  return wholeWords(vocab, model, new Set([unknownOf(place, model, vocab)]));
}

function wholeWords(
  vocab: ReadonlyMap<string, number>,
  model: TokenizerModel,
  always: ReadonlySet<number>,
): VocabularyRules {
  return {
    always,
    readsEverything: false,
    needs: (id) => [id],
    reachable: () => true,
    trimmed: (newIds) => ({ ...model, vocab: trimmedVocabulary(vocab, newIds) }),
  };
}

function unknownOf(place: string, model: TokenizerModel, vocab: ReadonlyMap<string, number>): number {
  const id = typeof model.unk_token === "string" ? vocab.get(model.unk_token) : undefined;
  if (id !== undefined) return id;
  throw new InputError(place, 'field "model.unk_token" names no token: words whose token goes could not be read');
}
