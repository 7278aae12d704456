import { createGraph, type Graph } from "../../engine/graph.js";
import type { ModelFormat } from "../../export/model-formats.js";
import { decodingTime } from "../../generation/decoding-time.js";
import { beginsWindows } from "../../model/contexts/begin-of-text.js";
import type { Head } from "../../model/head/head.js";
import type { ReducedHead } from "../../model/head/reduced-head.js";
import { rescoredLogits } from "../../model/head/rescored-logits.js";
import { spreadHead } from "../../model/head/spread-head.js";
import type { Model } from "../../model/model.js";
import { greedyCost } from "../../reduction/measure/greedy-cost.js";
import { type ContextRange, measureHead } from "../../reduction/measure/measure-head.js";
import { reducedMultiplications } from "../../reduction/measure/multiplications.js";
import { reducedTexts } from "../../reduction/measure/reduced-texts.js";
import type { ReducedTexts, ReductionMeasures, ReductionRun } from "../../reduction/reduction-run.js";
import { reducedBytes } from "../../reduction/write/reduced-bytes.js";
import { progressOf } from "../run-progress.js";
import type { FoundReduction } from "./reduce-find.js";
import { methodOf, type ReduceOptions } from "./reduce-options.js";
import type { ReduceTexts, StoredText } from "./reduce-texts.js";

/** A reduction that was found and perhaps written, to be measured. */
export interface MeasuredReduction {
  readonly found: FoundReduction;
  readonly texts: ReduceTexts;
  readonly notes: readonly string[];
  /** What was written; undefined where nothing was. */
  readonly written?: { readonly format: ModelFormat; readonly weightBytes: number } | undefined;
  /** performance.now() when the run began. */
  readonly started: number;
}

/** Measures a head, such as one read back from what was written, and puts together what the run found. */
export async function measureReduction(
  model: Model,
  head: Head,
  { found, texts, notes, written, started }: MeasuredReduction,
  options: ReduceOptions,
): Promise<ReductionRun> {
  const { name, modelType, vocabSize, hiddenSize, dtype } = model;
  const { signal, onEvent, amount } = options;
  const { plan, reduced, verify, curve } = found;
  const { fit, check, contextLength } = texts;
  const { rescore, order, compensate, metric, seed } = methodOf(options);
  const measured = async (phase: string, { contexts }: StoredText, range?: ContextRange): Promise<ReductionMeasures> =>
    measureHead(model, head, contexts, {
      ...{ signal, range },
      onProgress: progressOf(onEvent, phase, "tokens", range ? range.end - range.start : contexts.count),
    });
  const budget =
    verify && "maxKl" in amount
      ? { maxKl: amount.maxKl, verified: await measured("verify", check, verify) }
      : undefined;
  const bytes = await reducedBytes(model, reduced, { withoutBias: options.bias === false });
  const greedyExact = await greedyCost(model, head, check.contexts, signal);
  return {
    model: { name, modelType, vocabSize, hiddenSize, dtype, tied: model.head.tied },
    corpus: {
      ...{ fit: fit.corpus.files, check: check.corpus.files, contextLength },
      beginOfText: await beginsWindows(model, fit.corpus, options.beginOfText),
      contexts: { fit: fit.contexts.count, check: check.contexts.count },
    },
    ...{ deleted: hiddenSize - reduced.kept, kept: reduced.kept, rescore, order, compensate },
    metric: order === "rotation" ? metric : undefined,
    ...{ seed, format: written?.format },
    measures: { fit: await measured("measure fit", fit), check: await measured("measure check", check) },
    ...{ curve: curve?.points, encoding: curve?.encoding, budget },
    generated: curve && (await writtenTexts(model, head, { found, texts }, options)),
    bytes: {
      ...bytes,
      written: written && { before: bytes.model.before, after: written.weightBytes },
    },
    ...{ greedyExact, multiplications: reducedMultiplications(model.head, reduced, greedyExact?.rows) },
    milliseconds: await decodingTime(model, reducedGraph(model, reduced), signal),
    warnings: [...plan.warnings, ...notes, ...budgetWarnings(budget)],
    threads: model.engine.threads,
    seconds: (performance.now() - started) / 1000,
  };
}

function reducedGraph({ head, engine }: Model, reduced: ReducedHead): Graph {
  const graph = createGraph("reduced", engine);
  const hidden = graph.input("hidden", "float32", ["rows", head.hiddenSize]);
  graph.output(rescoredLogits(graph, head, reduced, hidden), "logits", "float32", ["rows", head.vocabSize]);
  return graph;
}

/** Texts of the head that is measured and, as nobody can read a curve's every point, of a few others. */
async function writtenTexts(
  model: Model,
  head: Head,
  { found: { reduced, curve }, texts }: Pick<MeasuredReduction, "found" | "texts">,
  options: ReduceOptions,
): Promise<ReducedTexts[] | undefined> {
  if (!(await model.hasTokenizer())) {
    options.onEvent?.({ type: "notice", message: `${model.name} has no tokenizer.json: no texts are written` });
    return undefined;
  }
  const { hiddenSize } = model;
  const { corpus } = texts.check;
  const { separator, signal } = options;
  const choice = {
    contextLength: texts.contextLength,
    separator,
    beginOfText: options.beginOfText,
    seed: methodOf(options).seed,
    signal,
  };
  const written = [await reducedTexts(model, { head, deleted: hiddenSize - reduced.kept }, corpus, choice)];
  for (const other of curve?.others ?? []) {
    if (other.kept === reduced.kept) continue;
    const spread = { head: await spreadHead(model, other), deleted: hiddenSize - other.kept };
    written.push(await reducedTexts(model, spread, corpus, choice));
  }
  return written.sort((a, b) => a.deleted - b.deleted);
}

function budgetWarnings(budget: ReductionRun["budget"]): string[] {
  if (budget === undefined || budget.verified.kl.mean <= budget.maxKl) return [];
  const found = budget.verified.kl.mean.toPrecision(3);
  return [`on text that the search did not see the mean KL is ${found}, above the budget of ${budget.maxKl}`];
}
