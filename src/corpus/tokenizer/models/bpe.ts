import type { BpeModel } from "../files/tokenizer-file.js";
import { Refusal } from "../refusal.js";
import { mergeAll, mergeTable } from "./merges.js";
import type { TokenModel } from "./token-model.js";
import { byteIds, vocabularyOf } from "./vocabulary.js";

/** Byte-pair encoding: characters, of which neighbours are merged, the earliest merge of the list first. */
export function bpe(model: BpeModel): TokenModel {
  const { vocab, continuing_subword_prefix, end_of_word_suffix, fuse_unk, byte_fallback, ignore_merges } = model;
  if (typeof model.dropout === "number" && model.dropout > 0) {
    throw new Refusal("model.dropout", `is ${model.dropout}: ids would be another each time; set it to null`);
  }
  const prefix = continuing_subword_prefix ?? "";
  const suffix = end_of_word_suffix ?? "";
  const unknownToken = model.unk_token ?? undefined;
  const unknown = unknownToken === undefined ? undefined : vocab.get(unknownToken);
  const merges = mergeTable(model.merges, vocab, prefix);

  /** Ids of the characters that a piece begins as. */
  const characters = (piece: string): number[] => {
    const ids: number[] = [];
    let unknowns = 0;
    const flush = () => {
      for (; unknowns > 0; unknowns--) ids.push(unknown!);
    };
    let at = 0;
    for (const character of piece) {
      const isFirst = at === 0;
      at += character.length;
      const token = (isFirst ? "" : prefix) + character + (at === piece.length ? suffix : "");
      const id = vocab.get(token);
      if (id !== undefined) {
        flush();
        ids.push(id);
        continue;
      }
      const bytes = byte_fallback === true ? byteIds(token, vocab) : undefined;
      if (bytes !== undefined) for (const byte of bytes) ids.push(byte);
      // Without an unknown token nothing stands for it, as in the Rust tokenizers.
      else if (unknownToken !== undefined) {
        if (unknown === undefined)
          throw new Refusal("model.unk_token", "is not in the vocabulary, and a text needs it");
        if (fuse_unk !== true) flush();
        unknowns = 1;
      }
    }
    flush();
    return ids;
  };

  return {
    ...vocabularyOf(vocab),
    unknown,
    ids(piece) {
      const whole = ignore_merges === true ? vocab.get(piece) : undefined;
      return whole !== undefined ? [whole] : mergeAll(characters(piece), merges);
    },
  };
}
