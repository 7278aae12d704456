import type { Corpus } from "../../corpus/corpus.js";
import { tokenIds } from "../../corpus/tokens/token-ids.js";
import { windows } from "../../corpus/tokens/windows.js";
import { type BeginOfText, beginOfWindows } from "../../model/contexts/begin-of-text.js";
import { contextLengthFor } from "../../model/contexts/context.js";
import type { Model } from "../../model/model.js";
import { collectStatistics } from "../../statistics/collect.js";
import { contextsOf } from "../../statistics/collected-sums.js";

/** How much a text has of each token: what the model would say, and what stands there. */
export interface TokenUsage {
  /** alpha: mean output probability over the contexts, [V]. */
  readonly meanProbability: Float64Array;
  /** How often each token occurs in the text, [V]. */
  readonly counts: Float64Array;
  readonly contexts: number;
}

/** How a text is read. */
export interface ReadTextOptions {
  /** Tokens per window. Default 256, or what the model can take. */
  readonly contextLength?: number | undefined;
  /** Tokens to read at most. Default: all. */
  readonly tokens?: number | undefined;
  /** Id put between documents, null for none. Default: end-of-text between those of one file. */
  readonly separator?: number | null | undefined;
  /** Whether every window starts with the begin-of-text token. Default "auto": as the model's own tokenizer does it. */
  readonly beginOfText?: BeginOfText | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told how many contexts have been read. */
  readonly onProgress?: ((contexts: number) => void) | undefined;
}

/** Runs a text through the model and sums what it would say. @throws InputError if the text cannot be used */
export async function measureUsage(model: Model, corpus: Corpus, options: ReadTextOptions = {}): Promise<TokenUsage> {
  const { tokens, separator, signal, onProgress } = options;
  const tokenizer = await model.tokenizer();
  const begin = await beginOfWindows(model, tokenizer, corpus, options.beginOfText);
  const ids = tokenIds(begin.corpus, tokenizer, { vocabSize: model.vocabSize, separator });
  const contextLength = contextLengthFor([model], options.contextLength, corpus);
  const statistics = await collectStatistics(
    model,
    windows(ids, { contextLength, maxTokens: tokens, beginOfText: begin.ids }),
    {
      signal,
      onBatch: (sums) => onProgress?.(contextsOf(sums)),
    },
  );
  const { contexts, sumProbability, tokenCounts } = statistics;
  return { meanProbability: sumProbability.map((sum) => sum / contexts), counts: tokenCounts, contexts };
}
