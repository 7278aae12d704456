import type { Corpus, Document } from "../../corpus/corpus.js";
import type { Tokenizer } from "../../corpus/tokenizer/tokenizer.js";
import { tokenIds } from "../../corpus/tokens/token-ids.js";
import { InputError } from "../../errors.js";
import { type BeginOfText, beginOfTextIds } from "../../model/contexts/begin-of-text.js";

/** Of which ids, and of how much of the text. */
export interface CountOptions {
  /** V; ids from there on are an error. Default: what the tokenizer has. */
  vocabSize?: number | undefined;
  /** Stop after this many tokens. Default: at the end of the text. */
  tokens?: number | undefined;
  /**
   * Whether a begin-of-text token is counted for every document. Default "auto": as the tokenizer puts one before a text, not
   * before token ids or what a chat template writes.
   */
  beginOfText?: BeginOfText | undefined;
  signal?: AbortSignal | undefined;
  /** Told how many tokens are counted. */
  onProgress?: ((counted: number) => void) | undefined;
}

/** Counts of a text. */
export interface CountedTokens {
  /** [V]. */
  readonly counts: Float64Array;
  /** Whether begin-of-text tokens that the text does not write are among them. */
  readonly beginOfText: boolean;
}

/**
 * How often each token id occurs in a corpus, [V]: whole texts, not windows.
 * @throws InputError if the corpus has no token, or an id outside the vocabulary
 */
export async function countTokens(
  corpus: Corpus,
  tokenizer: Tokenizer | undefined,
  options: CountOptions = {},
): Promise<Float64Array> {
  return (await countDocuments(corpus, tokenizer, options)).counts;
}

/** The same, and what was done. @throws InputError as countTokens */
export async function countDocuments(
  corpus: Corpus,
  tokenizer: Tokenizer | undefined,
  {
    vocabSize = tokenizer?.vocabSize,
    tokens = Number.POSITIVE_INFINITY,
    beginOfText: when = "auto",
    signal,
    onProgress,
  }: CountOptions = {},
): Promise<CountedTokens> {
  if (vocabSize === undefined) throw new InputError("tokenizer", "is missing, and so is the size of the vocabulary");
  const counts = new Float64Array(vocabSize);
  let counted = 0;
  const first = beginOfTextIds({ name: "the text" }, tokenizer, when);
  let beginOfText = false;
  const begin = (document: Document): readonly number[] => {
    if (first.length === 0 || (when === "auto" && !("text" in document))) return [];
    beginOfText = true;
    return first;
  };
  for await (const ids of tokenIds(corpus, tokenizer, { vocabSize, begin })) {
    signal?.throwIfAborted();
    const taken = Math.min(ids.length, tokens - counted);
    for (let i = 0; i < taken; i++) counts[ids[i]!]!++;
    counted += taken;
    onProgress?.(counted);
    if (counted >= tokens) break;
  }
  if (counted === 0) throw new InputError("corpus", "has no tokens to count");
  return { counts, beginOfText };
}
