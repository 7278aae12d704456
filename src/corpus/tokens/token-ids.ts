import { InputError } from "../../errors.js";
import type { ChatMessage, Corpus, Document } from "../corpus.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { tokenStream } from "./token-stream.js";

export interface TokenIdsOptions {
  /** V; ids from there on are an error. */
  vocabSize: number;
  /**
   * Id put between documents; null for none. Default: the tokenizer's end-of-text token between the documents of a file that
   * holds several, nothing between files.
   */
  separator?: number | null | undefined;
  /** Ids put before each document. Default: none. */
  begin?: ((document: Document) => readonly number[]) | undefined;
}

/**
 * Token ids of all documents of a corpus, in order, a part at a time. Ids already made need no tokenizer.
 * @throws InputError if an id is outside the vocabulary, naming the file and the index
 */
export async function* tokenIds(
  corpus: Corpus,
  tokenizer: Tokenizer | undefined,
  { vocabSize, separator, begin = () => [] }: TokenIdsOptions,
): AsyncGenerator<ArrayLike<number>> {
  let isFirst = true;
  for await (const document of corpus.documents()) {
    const between = separator === undefined && document.separate ? tokenizer?.endOfText : separator;
    if (!isFirst && typeof between === "number") yield [checkedSeparator(between, vocabSize)];
    isFirst = false;
    const first = begin(document);
    if (first.length > 0) yield first;
    let index = 0;
    for await (const ids of documentIds(document, tokenizer)) {
      const bad = firstOutside(ids, vocabSize);
      if (bad >= 0) {
        throw new InputError(
          document.name,
          `token ${index + bad} has id ${ids[bad]}, outside the model's vocabulary (0 to ${vocabSize - 1})`,
        );
      }
      index += ids.length;
      yield ids;
    }
  }
}

function documentIds(document: Document, tokenizer: Tokenizer | undefined): AsyncIterable<ArrayLike<number>> {
  if ("ids" in document) return document.ids;
  if (tokenizer !== undefined) return tokenStream(tokenizer, textOf(document, tokenizer));
  throw new InputError(
    document.name,
    "is text, and the model has no tokenizer.json to tokenise it with: give token ids",
  );
}

/** A document's text: a conversation's by the tokenizer's chat template. */
export function textOf(document: Exclude<Document, { ids: unknown }>, tokenizer: Tokenizer): AsyncIterable<string> {
  return "text" in document ? document.text : chatText(tokenizer, document);
}

async function* chatText(tokenizer: Tokenizer, { name, messages }: Document & { messages: readonly ChatMessage[] }) {
  try {
    yield tokenizer.chat(messages, false);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(name, error.message, { cause: error });
  }
}

function checkedSeparator(id: number, vocabSize: number): number {
  if (Number.isInteger(id) && id >= 0 && id < vocabSize) return id;
  throw new InputError("separator", `is ${id}, outside the model's vocabulary (0 to ${vocabSize - 1})`);
}

function firstOutside(ids: ArrayLike<number>, vocabSize: number): number {
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if (!(Number.isInteger(id) && id >= 0 && id < vocabSize)) return i;
  }
  return -1;
}
