import type { Corpus } from "../corpus/corpus.js";
import type { Tokenizer } from "../corpus/tokenizer/tokenizer.js";
import { measuredCorpus } from "../corpus/tokens/measured-corpus.js";
import { type CountedTokens, type CountOptions, countDocuments } from "../dynamics/inputs/count-tokens.js";
import type { OnRunEvent } from "./run-events.js";

/** What is counted, and who is told. */
export interface CountRunOptions extends Omit<CountOptions, "onProgress"> {
  readonly onEvent?: OnRunEvent | undefined;
}

/** How often each token occurs in a text. */
export interface TokenCounts extends CountedTokens {
  /** Their sum. */
  readonly tokens: number;
  /** How many ids occur at all. */
  readonly distinct: number;
}

/**
 * Counts the tokens of a text, telling how far it is.
 * @throws InputError if the text has no token, or an id outside the vocabulary
 */
export async function countRun(
  text: Corpus,
  tokenizer: Tokenizer | undefined,
  { onEvent, ...options }: CountRunOptions = {},
): Promise<TokenCounts> {
  const measured = measuredCorpus(text);
  const { counts, beginOfText } = await countDocuments(measured.corpus, tokenizer, {
    ...options,
    onProgress(done) {
      const total = options.tokens ?? measured.estimateTokens(done);
      onEvent?.({ type: "progress", phase: "count", done, total, unit: "tokens" });
    },
  });
  return {
    counts,
    beginOfText,
    tokens: counts.reduce((sum, count) => sum + count, 0),
    distinct: counts.filter((count) => count > 0).length,
  };
}
