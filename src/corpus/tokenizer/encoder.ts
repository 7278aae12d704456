import { addedVocabulary, normalizedContent } from "./added-tokens.js";
import type { AddedToken } from "./files/added-token.js";
import type { TokenizerFile } from "./files/tokenizer-file.js";
import { createModel } from "./models/create-model.js";
import type { TokenModel } from "./models/token-model.js";
import { checkGrowth, growthLimit } from "./refusal.js";
import { createDecoder } from "./steps/decoders.js";
import { createNormalizer, type Normalizer } from "./steps/normalizers.js";
import { createPreTokenizer, type PreTokenizer } from "./steps/pre-tokenizers.js";

/** Pieces remembered at most, and the longest: some 10 MB. A text's words recur, those that don't are cheap to lose. */
const maxKnown = 2 ** 16;
const maxKnownLength = 48;

/** Text to ids and back, by the steps of a tokenizer.json as the Rust tokenizers take them. */
export interface Encoder {
  /** @throws Refusal if a step cannot be taken on the text */
  encode(text: string): number[];
  decode(ids: readonly number[]): string;
  /** The vocabulary's entries, added tokens included. */
  readonly tokens: ReadonlyMap<number, string>;
  /** Ids of the tokens that are found before the model sees a text. */
  readonly added: ReadonlySet<number>;
  /** Those of them that stand for no text. */
  readonly special: ReadonlySet<number>;
  /** Id of what the model doesn't know. */
  readonly unknown: number | undefined;
}

/** What an encoder is made of. */
export interface EncoderParts {
  normalize: Normalizer;
  preTokenizer: PreTokenizer;
  model: TokenModel;
  decode: (tokens: string[]) => string;
  added: readonly AddedToken[];
}

/** The parts that a tokenizer.json describes. @throws Refusal naming the field that cannot be used */
export function partsOf(file: TokenizerFile): EncoderParts {
  return {
    normalize: createNormalizer(file.normalizer),
    preTokenizer: createPreTokenizer(file.pre_tokenizer),
    model: createModel(file),
    decode: createDecoder(file.decoder),
    added: file.added_tokens,
  };
}

/** @throws Refusal naming an added token that cannot be used */
export function createEncoder(parts: EncoderParts): Encoder {
  const { normalize, model } = parts;
  const { split, spell } = parts.preTokenizer;
  const added = addedVocabulary(parts.added, model, normalize);
  const idsOf = remembering((piece) => model.ids(spell === undefined ? piece : spell(piece)));
  const tokens = new Map(model.tokens());
  // Added tokens that are looked for in normalised text are decoded to it.
  const written = new Map<number, string>();
  for (const [id, token] of added.tokens) {
    tokens.set(id, token.content);
    if (token.normalized) written.set(id, normalizedContent(token, normalize));
  }

  return {
    encode(text) {
      const ids: number[] = [];
      for (const part of added.cut(text)) {
        if ("id" in part) ids.push(part.id);
        else {
          const { pieces } = split({ pieces: [part.text], begins: [part.begin] });
          checkGrowth("pre_tokenizer", lengthOf(pieces), growthLimit(part.text.length));
          for (const piece of pieces) for (const id of idsOf(piece)) ids.push(id);
        }
      }
      return ids;
    },
    decode: (ids) =>
      parts.decode(ids.map((id) => written.get(id) ?? tokens.get(id)).filter((token) => token !== undefined)),
    tokens,
    added: new Set(added.tokens.keys()),
    special: new Set(Array.from(added.tokens).flatMap(([id, { special }]) => (special ? [id] : []))),
    unknown: model.unknown,
  };
}

function lengthOf(pieces: readonly string[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/** Remembers the ids of short pieces, which is exact: a model sees each piece by itself. */
function remembering(idsOf: TokenModel["ids"]): TokenModel["ids"] {
  const known = new Map<string, readonly number[]>();
  return (piece) => {
    let ids = known.get(piece);
    if (ids === undefined) {
      ids = idsOf(piece);
      if (known.size >= maxKnown) known.clear();
      if (piece.length <= maxKnownLength) known.set(piece, ids);
    }
    return ids;
  };
}
