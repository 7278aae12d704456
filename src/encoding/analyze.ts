import type { Corpus } from "../corpus/corpus.js";
import type { HiddenStates } from "../corpus/hidden-states.js";
import type { HeadModel } from "../model/head/head-model.js";
import type { Model } from "../model/model.js";
import type { Analysis } from "./analysis.js";
import { type CollectTextOptions, collectHidden, collectText } from "./collect-text.js";
import { type ReadEncodingOptions, readEncoding } from "./read-encoding.js";

/** How the text is read and summed, and what is read off the sums. */
export interface AnalyzeOptions extends Omit<CollectTextOptions, "firstWindow" | "endWindow">, ReadEncodingOptions {}

/**
 * Reads the token-probability encoding of a model from a corpus (METHOD.md sections 1 and 2): one pass over the text for
 * the mean probabilities and the moments of the hidden states (`collectText`), then the regression, the theory and the
 * sparsity (`readEncoding`).
 *
 *     const model = await loadModel("openai-community/gpt2");
 *     const { encoding } = await analyze(model, corpus("wiki/*.txt"), { tokens: 200_000 });
 *
 * @throws InputError if the text, the tokenizer or the model cannot be used
 */
export async function analyze(model: Model, corpus: Corpus, options: AnalyzeOptions = {}): Promise<Analysis> {
  return readEncoding(model, await collectText(model, corpus, options), options);
}

/**
 * The same from hidden states that were computed elsewhere, by anything: only the head is run.
 * @throws InputError if the hidden states or the model's head cannot be used
 */
export async function analyzeHidden(
  model: HeadModel,
  hidden: HiddenStates,
  options: Pick<AnalyzeOptions, "seed" | "signal"> & { onProgress?: (contexts: number) => void } = {},
): Promise<Analysis> {
  return readEncoding(model, await collectHidden(model, hidden, options), options);
}
