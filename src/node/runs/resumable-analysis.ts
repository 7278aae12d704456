import type { Corpus } from "../../corpus/corpus.js";
import type { CorpusOptions } from "../../corpus/file-documents.js";
import type { Analysis } from "../../encoding/analysis.js";
import type { CollectProgress } from "../../encoding/collect-text.js";
import type { Model } from "../../model/model.js";
import type { StateType } from "../../model/pass/state-place.js";
import { type AnalysisRunOptions, analysisRun } from "../../runs/analysis-run.js";
import { contextsOf } from "../../statistics/collected-sums.js";
import { keptStates } from "./folder/kept-states.js";
import { inputIdentity, openUnfinished } from "./folder/unfinished.js";
import { writeAnalysisRun } from "./write/analysis-files.js";
import type { Asked } from "./write/run-record.js";

export interface ResumableAnalysisOptions extends Omit<AnalysisRunOptions, "resume" | "place" | "onProgress"> {
  /** How the files of the text are read. */
  reading?: CorpusOptions | undefined;
  /** What hidden states are between layers of a model that is larger than its memory. Default float32. */
  hiddenType?: StateType | undefined;
  /** As run.json records it. */
  asked: Asked;
}

/**
 * Analyzes a text into a folder. Goes on from what an interrupted run with the same options and inputs left there; where
 * it is interrupted itself, it leaves the same.
 * @throws InputError if the text, the model or the folder cannot be used
 * @throws the signal's reason when it is aborted
 */
export async function resumableAnalysis(
  model: Model,
  text: Corpus,
  folder: string,
  { reading, hiddenType = "float32", asked, ...options }: ResumableAnalysisOptions,
): Promise<Analysis> {
  const { contextLength, tokens, beginOfText = "auto", separator, signal, onEvent } = options;
  const identity = { contextLength, tokens, beginOfText, separator, reading, inputs: await inputIdentity(model, text) };
  const unfinished = await openUnfinished(folder, identity, asked, model.head);
  const { found: resume } = unfinished;
  if (resume) {
    const message = `going on from ${contextsOf(resume).toLocaleString("en")} tokens of an interrupted run`;
    onEvent?.({ type: "notice", message });
  }
  if (unfinished.unusable) {
    const message = "starting anew: what an interrupted run left is of files that have changed, or of another version";
    onEvent?.({ type: "notice", message });
  }
  try {
    const place = model.inTurns ? await keptStates(folder, hiddenType, identity, asked) : undefined;
    const onProgress = ({ sums }: CollectProgress) => unfinished.offer(sums);
    const analysis = await analysisRun(model, text, { ...options, resume, place, onProgress });
    await writeAnalysisRun(folder, analysis, asked);
    await unfinished.remove();
    return analysis;
  } catch (error) {
    if (signal?.aborted) await unfinished.saveLast();
    throw error;
  }
}
