import type { Corpus } from "../../corpus/corpus.js";
import type { Tokenizer } from "../../corpus/tokenizer/tokenizer.js";
import { tokenIds } from "../../corpus/tokens/token-ids.js";
import { InputError } from "../../errors.js";

/** Of which ids, and of how much of the text. */
export interface CountOptions {
  /** V; ids from there on are an error. Default: what the tokenizer has. */
  vocabSize?: number | undefined;
  /** Stop after this many tokens. Default: at the end of the text. */
  tokens?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Told how many tokens are counted. */
  onProgress?: ((counted: number) => void) | undefined;
}

/**
 * How often each token id occurs in a corpus, [V]: whole texts, not windows.
 * @throws InputError if the corpus has no token, or an id outside the vocabulary
 */
export async function countTokens(
  corpus: Corpus,
  tokenizer: Tokenizer | undefined,
  { vocabSize = tokenizer?.vocabSize, tokens = Number.POSITIVE_INFINITY, signal, onProgress }: CountOptions = {},
): Promise<Float64Array> {
  if (vocabSize === undefined) throw new InputError("tokenizer", "is missing, and so is the size of the vocabulary");
  const counts = new Float64Array(vocabSize);
  let counted = 0;
  for await (const ids of tokenIds(corpus, tokenizer, { vocabSize })) {
    signal?.throwIfAborted();
    const taken = Math.min(ids.length, tokens - counted);
    for (let i = 0; i < taken; i++) counts[ids[i]!]!++;
    counted += taken;
    onProgress?.(counted);
    if (counted >= tokens) break;
  }
  if (counted === 0) throw new InputError("corpus", "has no tokens to count");
  return counts;
}
