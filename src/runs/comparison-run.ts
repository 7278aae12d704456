import { type CompareOptions, compare } from "../compare/compare.js";
import type { Comparison } from "../compare/comparison.js";
import type { Corpus } from "../corpus/corpus.js";
import { measuredCorpus } from "../corpus/tokens/measured-corpus.js";
import type { Model } from "../model/model.js";
import type { OnRunEvent } from "./run-events.js";

/** How much of a text two models are compared on, and who is told. */
export interface ComparisonRunOptions extends Omit<CompareOptions, "onProgress"> {
  readonly onEvent?: OnRunEvent | undefined;
}

/**
 * The comparison of two models on a text, telling how far it is.
 * @throws InputError if the models' vocabularies differ, or the text or a model cannot be used
 */
export function comparisonRun(
  modelA: Model,
  modelB: Model,
  text: Corpus,
  { onEvent, ...options }: ComparisonRunOptions = {},
): Promise<Comparison> {
  const measured = measuredCorpus(text);
  return compare(modelA, modelB, measured.corpus, {
    ...options,
    onProgress({ contexts: done }) {
      const total = options.tokens ?? measured.estimateTokens(done);
      onEvent?.({ type: "progress", phase: "compare", done, total, unit: "tokens" });
    },
  });
}
