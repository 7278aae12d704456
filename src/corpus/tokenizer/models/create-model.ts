import type { TokenizerFile } from "../files/tokenizer-file.js";
import { bpe } from "./bpe.js";
import type { TokenModel } from "./token-model.js";
import { unigram } from "./unigram.js";
import { wordLevel } from "./word-level.js";
import { wordPiece } from "./word-piece.js";

/** The model of a checked tokenizer.json. @throws Refusal naming the field that cannot be used */
export function createModel({ model }: TokenizerFile): TokenModel {
  switch (model.type) {
    case "Unigram":
      return unigram(model);
    case "WordPiece":
      return wordPiece(model);
    case "WordLevel":
      return wordLevel(model);
    case "BPE":
      return bpe(model);
  }
}
