import type { Corpus } from "../../corpus/corpus.js";
import { tokenIds } from "../../corpus/tokens/token-ids.js";
import { windows } from "../../corpus/tokens/windows.js";
import { InputError } from "../../errors.js";
import { optionalTokenizer } from "../head/head-model.js";
import type { Model } from "../model.js";
import { memoryStore, type RowStore } from "../pass/row-store.js";
import { type BeginOfText, beginOfWindows } from "./begin-of-text.js";
import { contextLengthFor } from "./context.js";
import { type StoredContexts, storeContexts } from "./stored-contexts.js";

/** How much of a text is run through a model, how it is cut, and where the hidden states are kept. */
export interface StoreTextOptions {
  /** Stop after this many tokens. Default: all. */
  tokens?: number | undefined;
  /** Tokens per window. Default 256, or what the model can take. */
  contextLength?: number | undefined;
  /** Id put between documents, null for none. Default: end-of-text between those of one file. */
  separator?: number | null | undefined;
  /** Whether every window starts with the begin-of-text token. Default "auto": as the model's own tokenizer does it. */
  beginOfText?: BeginOfText | undefined;
  /** Where the hidden states are kept. Default: memory. */
  store?: RowStore | undefined;
  signal?: AbortSignal | undefined;
  /** Told how many contexts are stored. */
  onProgress?: ((contexts: number) => void) | undefined;
}

/**
 * Runs a text through the model's layers and keeps what the head multiplies in every context.
 *
 *     const fit = await storeText(model, corpus("wiki/*.txt"), { tokens: 40_000 });
 *
 * @throws InputError if the text cannot be used, or holds nothing
 */
export async function storeText(
  model: Model,
  corpus: Corpus,
  { tokens, contextLength, separator, beginOfText, store = memoryStore(), signal, onProgress }: StoreTextOptions = {},
): Promise<StoredContexts> {
  const stream = await textWindows(model, corpus, { tokens, contextLength, separator, beginOfText });
  const contexts = await storeContexts(model, stream, store, { signal, onProgress });
  if (contexts.count > 0) return contexts;
  await contexts.release();
  throw new InputError(nameOf(corpus), "holds no tokens");
}

type WindowChoice = Pick<StoreTextOptions, "tokens" | "contextLength" | "separator" | "beginOfText">;

const nameOf = (corpus: Corpus): string => corpus.files.map((file) => file.name).join(", ");

async function textWindows(
  model: Model,
  corpus: Corpus,
  { tokens, contextLength, separator, beginOfText }: WindowChoice,
): Promise<AsyncGenerator<Int32Array>> {
  const tokenizer = await optionalTokenizer(model);
  const begin = await beginOfWindows(model, tokenizer, corpus, beginOfText);
  const ids = tokenIds(begin.corpus, tokenizer, { vocabSize: model.vocabSize, separator });
  const length = contextLengthFor([model], contextLength, corpus);
  return windows(ids, { contextLength: length, maxTokens: tokens, name: nameOf(corpus), beginOfText: begin.ids });
}

/** The tokens of a text in its windows, as they are run through a model, without running it. @throws InputError as storeText */
export async function textTokens(
  model: Model,
  corpus: Corpus,
  choice: WindowChoice = {},
): Promise<Pick<StoredContexts, "tokenIds" | "windowStarts">> {
  const tokenIds: number[] = [];
  const windowStarts = [0];
  for await (const window of await textWindows(model, corpus, choice)) {
    for (const id of window) tokenIds.push(id);
    windowStarts.push(tokenIds.length);
  }
  return { tokenIds: Int32Array.from(tokenIds), windowStarts: Int32Array.from(windowStarts) };
}
