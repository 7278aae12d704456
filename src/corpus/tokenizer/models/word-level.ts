import type { VocabularyModel } from "../files/tokenizer-file.js";
import { Refusal } from "../refusal.js";
import type { TokenModel } from "./token-model.js";
import { vocabularyOf } from "./vocabulary.js";

/** A word is a token or unknown. */
export function wordLevel({ vocab, unk_token }: VocabularyModel): TokenModel {
  const unknown = vocab.get(unk_token ?? "<unk>");
  return {
    ...vocabularyOf(vocab),
    unknown,
    ids(word) {
      const id = vocab.get(word) ?? unknown;
      if (id === undefined) throw new Refusal("model.unk_token", "is missing, and a text has no other token for it");
      return [id];
    },
  };
}
