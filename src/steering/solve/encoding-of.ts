import { analyzeContexts } from "../../encoding/analyze-contexts.js";
import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import type { HeadModel } from "../../model/head/head-model.js";
import { meanProbability } from "../../statistics/head-statistics.js";

/** The encoding (METHOD.md section 1) of stored contexts, as far as edits and their trials need it. */
export interface ContextEncoding {
  /** A, [d]. */
  readonly slopes: Float64Array;
  /** |A_i| std_w(E_wi), [d]. */
  readonly saliency: Float64Array;
  /** alpha, [V]. */
  readonly meanProbability: Float64Array;
  /** Tokens that are no padding. */
  readonly tokenIds: Int32Array;
}

export async function encodingOf(
  model: HeadModel,
  contexts: StoredContexts,
  signal: AbortSignal | undefined,
): Promise<ContextEncoding> {
  const { encoding, sparsity, statistics } = await analyzeContexts(model, contexts, signal);
  return {
    slopes: encoding.slopes,
    saliency: sparsity.saliency,
    meanProbability: meanProbability(statistics),
    tokenIds: encoding.tokenIds,
  };
}
