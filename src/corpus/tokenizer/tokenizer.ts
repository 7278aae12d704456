import type { Folder } from "../../tensor/byte-source.js";
import type { ChatMessage } from "../corpus.js";
import { readChatTemplate } from "./chat-template.js";
import { type Companions, contentOf } from "./files/companions.js";
import { inFile } from "./files/tokenizer-file.js";
import { openTokenizerSource, type TokenizerSource } from "./open-source.js";

/** Text to token ids and back, as the model's own tokenizer does it. */
export interface Tokenizer {
  /** Token ids of a text; special tokens are never added, those written out in the text are found. */
  encode(text: string): number[];
  /** The text of a sequence of ids, special tokens as they are written. */
  decode(ids: readonly number[]): string;
  /**
   * A conversation as text, by the model's own chat template, begin-of-text token and all.
   * @param beginsAnswer whether the beginning of an answer follows
   * @throws InputError if there is no template, or it refuses the messages
   */
  chat(messages: readonly ChatMessage[], beginsAnswer: boolean): string;
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
  /** Ids that it puts before a text by itself, mostly none or the one that begins a text: `encode` leaves them out. */
  readonly startsWith: readonly number[];
}

/**
 * Reads tokenizer.json, or vocab.json and merges.txt, or SentencePiece's tokenizer.model, with what the files beside it say
 * (added_tokens.json, tokenizer_config.json, special_tokens_map.json), as transformers does; the begin- and end-of-text tokens
 * are those of tokenizer_config.json, or config.json where that doesn't name them.
 * @throws InputError naming the file and the field that cannot be used
 */
export async function loadTokenizer(folder: Folder): Promise<Tokenizer> {
  const source = await openTokenizerSource(folder);
  const { encoder, companions } = source;
  const { tokens, added } = encoder;
  const guarded = <Result>(use: () => Result): Result => inFile(source.name, use);
  let largestId = 0;
  for (const id of tokens.keys()) largestId = Math.max(largestId, id);
  const idOf = new Map(Array.from(tokens, ([id, token]) => [token, id]));
  const beginOfText = idOfRole("bos_token", companions, idOf);
  const endOfText = idOfRole("eos_token", companions, idOf);
  const special = new Set([
    ...encoder.special,
    ...[beginOfText, endOfText, encoder.unknown].filter((id) => id !== undefined),
  ]);

  return {
    encode: (part) => guarded(() => source.timed(part.length, () => encoder.encode(part))),
    decode: (ids) => guarded(() => source.timed(ids.length, () => encoder.decode(ids))),
    chat: await readChatTemplate(folder, companions.config),
    vocabSize: largestId + 1,
    produces: (id) => tokens.has(id),
    tokenText: (id) => (added.has(id) ? (tokens.get(id) ?? "") : source.tokenText(tokens.get(id) ?? "")),
    entry: (id) => tokens.get(id),
    isSpecial: (id) => special.has(id),
    beginOfText,
    endOfText,
    startsWith: startsWith(source, beginOfText),
  };
}

/**
 * Ids that the model's own tokenizer puts before a text: as the post-processor of tokenizer.json says, where transformers asks
 * nothing else, or as tokenizer_config.json does.
 */
function startsWith(
  { companions: { config }, first, begins }: TokenizerSource,
  beginOfText: number | undefined,
): readonly number[] {
  if (first !== undefined) return first;
  const adds = typeof config.add_bos_token === "boolean" ? config.add_bos_token : begins;
  return adds && beginOfText !== undefined ? [beginOfText] : [];
}

/** What a text ends with where no file beside tokenizer.json names it, most particular first. */
const usualEnds = ["<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>"];
const isId = (id: number | undefined): id is number => id !== undefined;

/** The token that has a role, by the files beside the tokenizer: those that name it, else config.json. */
function idOfRole(
  role: "bos_token" | "eos_token",
  { config, model }: Companions,
  idOf: ReadonlyMap<string, number>,
): number | undefined {
  if (Object.hasOwn(config, role)) {
    const content = contentOf(config[role]);
    return content === undefined ? undefined : idOf.get(content);
  }
  const given = model[`${role}_id`];
  if (role === "eos_token" && given === undefined) return usualEnds.map((end) => idOf.get(end)).find(isId);
  const id: unknown = Array.isArray(given) ? given[0] : given;
  return [...idOf.values()].find((known) => known === id);
}
