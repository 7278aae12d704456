import type { Corpus } from "../corpus/corpus.js";
import type { HiddenStates } from "../corpus/hidden-states.js";
import { measuredCorpus } from "../corpus/tokens/measured-corpus.js";
import type { Analysis } from "../encoding/analysis.js";
import { type AnalyzeOptions, analyze, analyzeHidden } from "../encoding/analyze.js";
import type { HeadModel } from "../model/head/head-model.js";
import type { Model } from "../model/model.js";
import { contextsOf } from "../statistics/collected-sums.js";
import type { OnRunEvent } from "./run-events.js";

const phase = "analyze";

/** How a text is analysed, and who is told. */
export interface AnalysisRunOptions extends AnalyzeOptions {
  onEvent?: OnRunEvent | undefined;
}

/**
 * The analysis of a text, telling how far it is.
 * @throws InputError if the text, the tokenizer or the model cannot be used
 */
export function analysisRun(model: Model, text: Corpus, options: AnalysisRunOptions = {}): Promise<Analysis> {
  const { onEvent, tokens } = options;
  // Read before the sums grow, which they do in place.
  const resumedFrom = options.resume && contextsOf(options.resume);
  const measured = measuredCorpus(text);
  onEvent?.({ type: "progress", phase, done: resumedFrom ?? 0, total: tokens, unit: "tokens", resumedFrom });
  return analyze(model, measured.corpus, {
    ...options,
    onProgress: async (reached) => {
      const total = tokens ?? measured.estimateTokens(reached.contexts);
      onEvent?.({ type: "progress", phase, done: reached.contexts, total, unit: "tokens", resumedFrom });
      await options.onProgress?.(reached);
    },
  });
}

/**
 * The same of hidden states that were computed elsewhere.
 * @throws InputError if the hidden states or the model's head cannot be used
 */
export function hiddenAnalysisRun(
  model: HeadModel,
  hidden: HiddenStates,
  { seed, signal, onEvent }: Pick<AnalysisRunOptions, "seed" | "signal" | "onEvent"> = {},
): Promise<Analysis> {
  onEvent?.({ type: "progress", phase, done: 0, total: hidden.contexts, unit: "tokens" });
  const onProgress = (done: number) =>
    onEvent?.({ type: "progress", phase, done, total: hidden.contexts, unit: "tokens" });
  return analyzeHidden(model, hidden, { seed, signal, onProgress });
}
