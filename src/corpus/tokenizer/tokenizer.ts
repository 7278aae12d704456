import { InputError } from "../../errors.js";
import type { Folder } from "../../tensor/byte-source.js";
import { createEncoder } from "./encoder.js";
import { readObject } from "./files/read-json.js";
import { inFile, readTokenizerFile } from "./files/tokenizer-file.js";
import { tokenTextOf } from "./token-text.js";

/** Text to token ids and back, as the model's own tokenizer does it. */
export interface Tokenizer {
  /** Token ids of a text; special tokens are never added, those written out in the text are found. */
  encode(text: string): number[];
  /** The text of a sequence of ids, special tokens as they are written. */
  decode(ids: readonly number[]): string;
  /** 1 + the largest id that it has. */
  readonly vocabSize: number;
  /** Whether the id has a token; rows of E whose id has none are padding. */
  produces(id: number): boolean;
  /** Text that the token stands for, U+FFFD where its bytes alone are no valid UTF-8; "" for an id without a token. */
  tokenText(id: number): string;
  /** The vocabulary's own entry, which tells apart what tokenText shows alike; undefined for an id without a token. */
  entry(id: number): string | undefined;
  /** Whether it stands for no text: begin and end of text, padding, unknown words, marks of a chat's turns. */
  isSpecial(id: number): boolean;
  /** Id that begins a text (`bos_token`). */
  readonly beginOfText: number | undefined;
  /** Id that ends a text (`eos_token`). */
  readonly endOfText: number | undefined;
}

/**
 * Reads tokenizer.json; the begin- and end-of-text tokens are those of tokenizer_config.json, or config.json where that
 * doesn't name them.
 * @throws InputError naming the file and the field that cannot be used
 */
export async function loadTokenizer(folder: Folder): Promise<Tokenizer> {
  const source = await folder.open("tokenizer.json");
  if (source === undefined) throw new InputError(folder.name, "tokenizer.json is missing: text cannot be tokenised");
  const file = await readTokenizerFile(source);
  const guarded = <Result>(use: () => Result): Result => inFile(source.name, use);
  const encoder = guarded(() => createEncoder(file));
  const { tokens, added } = encoder;
  const text = guarded(() => tokenTextOf(file));
  let largestId = 0;
  for (const id of tokens.keys()) largestId = Math.max(largestId, id);
  const idOf = new Map(Array.from(tokens, ([id, token]) => [token, id]));
  const names = await readNames(folder);
  const beginOfText = names.id("bos_token", idOf);
  const endOfText = names.id("eos_token", idOf);
  const special = new Set([
    ...encoder.special,
    ...[beginOfText, endOfText, encoder.unknown].filter((id) => id !== undefined),
  ]);

  return {
    encode: (part) => guarded(() => encoder.encode(part)),
    decode: (ids) => guarded(() => encoder.decode(ids)),
    vocabSize: largestId + 1,
    produces: (id) => tokens.has(id),
    tokenText: (id) => (added.has(id) ? (tokens.get(id) ?? "") : text(tokens.get(id) ?? "")),
    entry: (id) => tokens.get(id),
    isSpecial: (id) => special.has(id),
    beginOfText,
    endOfText,
  };
}

/** What a text ends with where no file beside tokenizer.json names it, most particular first. */
const usualEnds = ["<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>"];
const isId = (id: number | undefined): id is number => id !== undefined;

/** What tokenizer_config.json and config.json say about bos_token and eos_token. */
async function readNames(folder: Folder) {
  const tokenizerConfig = await readObject(folder, "tokenizer_config.json");
  const modelConfig = await readObject(folder, "config.json");
  return {
    id(field: "bos_token" | "eos_token", idOf: ReadonlyMap<string, number>): number | undefined {
      if (Object.hasOwn(tokenizerConfig, field)) {
        const named = tokenizerConfig[field];
        const content = typeof named === "object" && named !== null && "content" in named ? named.content : named;
        return typeof content === "string" ? idOf.get(content) : undefined;
      }
      const given = modelConfig[`${field}_id`];
      if (field === "eos_token" && given === undefined) return usualEnds.map((end) => idOf.get(end)).find(isId);
      const id: unknown = Array.isArray(given) ? given[0] : given;
      return [...idOf.values()].find((known) => known === id);
    },
  };
}
