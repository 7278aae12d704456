import type { Corpus } from "../../corpus/corpus.js";
import { contextLengthFor } from "../../model/contexts/context.js";
import { storeText } from "../../model/contexts/store-text.js";
import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import type { Model } from "../../model/model.js";
import { memoryStore } from "../../model/pass/row-store.js";
import { progressOf } from "../run-progress.js";
import type { ReduceOptions } from "./reduce-options.js";

const usualTokens = 200_000;
const usualCheckTokens = 20_000;

/** A text that went through the model's layers. */
export interface StoredText {
  readonly corpus: Corpus;
  readonly contexts: StoredContexts;
}

/** The text that a reduction is fitted to and the one that it is measured on. */
export interface ReduceTexts {
  readonly contextLength: number;
  readonly fit: StoredText;
  readonly check: StoredText;
}

/**
 * Runs both texts through the model's layers, calls back with them, and frees their space.
 * @throws InputError if a text cannot be used
 */
export async function withReduceTexts<Result>(
  model: Model,
  options: ReduceOptions,
  use: (texts: ReduceTexts) => Promise<Result>,
): Promise<Result> {
  const { tokens = usualTokens, checkTokens = usualCheckTokens } = options;
  const contextLength = contextLengthFor([model], options.contextLength, options.fit);
  const fit = await stored(model, options.fit, { label: "fit", tokens, contextLength }, options);
  try {
    const check = await stored(model, options.check, { label: "check", tokens: checkTokens, contextLength }, options);
    try {
      return await use({ contextLength, fit, check });
    } finally {
      await check.contexts.release();
    }
  } finally {
    await fit.contexts.release();
  }
}

async function stored(
  model: Model,
  corpus: Corpus,
  { label, tokens, contextLength }: { label: string; tokens: number; contextLength: number },
  { separator, beginOfText, store = async () => memoryStore(), signal, onEvent }: ReduceOptions,
): Promise<StoredText> {
  const onProgress = progressOf(onEvent, label, "tokens", tokens);
  const contexts = await storeText(model, corpus, {
    ...{ tokens, contextLength, separator, beginOfText, store: await store(), signal, onProgress },
  });
  return { corpus, contexts };
}
