import type { VocabularyModel } from "../files/tokenizer-file.js";
import { Refusal } from "../refusal.js";
import type { TokenModel } from "./token-model.js";
import { vocabularyOf } from "./vocabulary.js";

/** The longest token that begins the word, then the longest that goes on, until nothing is left; else the word is unknown. */
export function wordPiece(model: VocabularyModel): TokenModel {
  const { vocab, unk_token, continuing_subword_prefix, max_input_chars_per_word } = model;
  const prefix = continuing_subword_prefix ?? "##";
  const maxCharacters = max_input_chars_per_word ?? 100;
  const unknown = vocab.get(unk_token ?? "[UNK]");
  let longest = 0;
  for (const token of vocab.keys()) longest = Math.max(longest, token.length);
  const unknownIds = (): number[] => {
    if (unknown !== undefined) return [unknown];
    throw new Refusal("model.unk_token", "is missing, and a text has no other token for it");
  };
  return {
    ...vocabularyOf(vocab),
    unknown,
    ids(word) {
      if (Array.from(word).length > maxCharacters) return unknownIds();
      const ids: number[] = [];
      let start = 0;
      while (start < word.length) {
        const before = start === 0 ? "" : prefix;
        let end = Math.min(word.length, start + longest);
        let id = vocab.get(before + word.slice(start, end));
        while (id === undefined && --end > start) id = vocab.get(before + word.slice(start, end));
        if (id === undefined) return unknownIds();
        ids.push(id);
        start = end;
      }
      return ids;
    },
  };
}
