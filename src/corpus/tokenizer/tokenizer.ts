import { InputError } from "../../errors.js";
import type { Folder } from "../../tensor/byte-source.js";
import { wordEncoder } from "./byte-level-words.js";
import { exactSplits } from "./exact-splits.js";
import { tokenTextOf } from "./token-text.js";
import { readJson, readTokenizerFile, type TokenizerFile } from "./tokenizer-file.js";
import { openTokenizerLibrary, type TokenizerLibrary } from "./tokenizer-library.js";

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
  const { file, tokens } = await readTokenizerFile(source);
  const guarded = <Result>(use: () => Result): Result => guard(source.name, use);
  const library = guarded(() => openLibrary(file));
  const libraryEncode = (text: string): number[] => guarded(() => libraryIds(source.name, library, text));
  const encodeWords = guarded(() => wordEncoder(file, library, libraryEncode));
  const added = new Map(file.added_tokens.map(({ id, content }) => [id, content]));
  const text = tokenTextOf(file);
  let largestId = 0;
  for (const id of tokens.keys()) largestId = Math.max(largestId, id);
  const idOf = new Map(Array.from(tokens, ([id, token]) => [token, id]));
  const names = await readNames(folder);
  const beginOfText = names.id("bos_token", idOf);
  const endOfText = names.id("eos_token", idOf);
  const special = new Set([
    ...file.added_tokens.flatMap((token) => (token.special ? [token.id] : [])),
    ...[beginOfText, endOfText, library.model.unk_token_id].filter((id) => id !== undefined),
  ]);

  return {
    encode: encodeWords === undefined ? libraryEncode : (part) => guarded(() => encodeWords(part)),
    // The library refuses an empty list.
    decode: (ids) =>
      ids.length === 0 ? "" : guarded(() => library.decode([...ids], { clean_up_tokenization_spaces: false })),
    vocabSize: largestId + 1,
    produces: (id) => tokens.has(id),
    tokenText: (id) => added.get(id) ?? text(tokens.get(id) ?? ""),
    entry: (id) => tokens.get(id),
    isSpecial: (id) => special.has(id),
    beginOfText,
    endOfText,
  };
}

function openLibrary(file: TokenizerFile): TokenizerLibrary {
  // No post-processor: all that it does is adding special tokens. Of the config only what the word-level model needs.
  return openTokenizerLibrary(
    { normalizer: null, decoder: null, ...exactSplits(file), post_processor: null },
    { unk_token: file.model.unk_token },
  );
}

/** The library checks little of the file beforehand: whatever it throws, and whenever, is because of the file. */
function guard<Result>(name: string, use: () => Result): Result {
  try {
    return use();
  } catch (error) {
    if (error instanceof InputError) throw error;
    const reason = (error as Error).message.replace(/\s+/g, " ").slice(0, 200);
    throw new InputError(name, `cannot be used: ${reason}`, { cause: error });
  }
}

function libraryIds(name: string, library: TokenizerLibrary, text: string): number[] {
  const { ids } = library.encode(text, { add_special_tokens: false });
  const lost = ids.indexOf(undefined);
  if (lost >= 0) throw new InputError(name, `field "model.unk_token" is missing, and a text has no other token for it`);
  return ids as number[];
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

async function readObject(folder: Folder, fileName: string): Promise<Record<string, unknown>> {
  const source = await folder.open(fileName);
  if (source === undefined) return {};
  const value = await readJson(source);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InputError(source.name, "is not a JSON object");
  }
  return value as Record<string, unknown>;
}
