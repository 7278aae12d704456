import type { Corpus } from "../../corpus/corpus.js";
import { loadTokenizer, type Tokenizer } from "../../corpus/tokenizer/tokenizer.js";
import { decodingTime } from "../../generation/decoding-time.js";
import { type BeginOfText, beginOfTextIds, beginsWindows } from "../../model/contexts/begin-of-text.js";
import { contextLengthFor } from "../../model/contexts/context.js";
import { logitsGraph } from "../../model/head/head-model.js";
import { requireOneStage } from "../../model/head/one-stage.js";
import type { Model } from "../../model/model.js";
import type { SelectorOptions } from "../../steering/plan/token-selector.js";
import { bytesSource } from "../../tensor/byte-source.js";
import { chosenRows } from "../../tensor/chosen-rows.js";
import { weightBytes } from "../../tensor/weight-bytes.js";
import { checkText, measureTrim } from "../../trimming/measure/check-text.js";
import { massCurve } from "../../trimming/measure/mass-curve.js";
import { tokenKinds } from "../../trimming/measure/token-kinds.js";
import { rankedByUse } from "../../trimming/plan/kept-tokens.js";
import { measureUsage, type TokenUsage } from "../../trimming/plan/token-usage.js";
import { planTrim, type TrimAmount, type TrimPlan } from "../../trimming/plan/trim-plan.js";
import type { RemovedToken, TrimRun } from "../../trimming/trim-run.js";
import { rowTensors, type TrimmedCheckpoint, trimVocabulary } from "../../trimming/write/trimmed-checkpoint.js";
import type { OnRunEvent } from "../run-events.js";
import { progressOf } from "../run-progress.js";

const usualTokens = 200_000;
const usualCheckTokens = 20_000;
const mostShown = 40;

/** What is trimmed by how much, and which texts decide and check it. */
export interface TrimOptions extends Omit<SelectorOptions, "place" | "onNote"> {
  /** What stays, or a plan that was made before. */
  readonly amount: TrimAmount | { readonly plan: TrimPlan };
  /** Text by which tokens are ranked. */
  readonly corpus: Corpus;
  /** Text that nothing is ranked by, to measure on. */
  readonly check: Corpus;
  /** Tokens to rank by at most. Default 200,000. */
  readonly tokens?: number | undefined;
  /** Tokens to measure on, about. Default 20,000. */
  readonly checkTokens?: number | undefined;
  /** Tokens per window. Default 256, or what the model can take. */
  readonly contextLength?: number | undefined;
  /** Id put between documents, null for none. Default: end-of-text between those of one file. */
  readonly separator?: number | null | undefined;
  /** Whether every window starts with the begin-of-text token. Default "auto": as the model's own tokenizer does it. */
  readonly beginOfText?: BeginOfText | undefined;
  /** Rows are added until their number is a multiple of it. */
  readonly padTo?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnRunEvent | undefined;
}

/** A trimming that was chosen and measured, and the files of its model. */
export interface TrimResult {
  readonly plan: TrimPlan;
  readonly run: TrimRun;
  readonly checkpoint: TrimmedCheckpoint;
  /** The text that it was measured on, and the tokenizer that the model will have. */
  readonly checked: { readonly text: string; readonly tokenizer: Tokenizer };
}

/**
 * Chooses the tokens that a model can do without and measures what that loses and gains; writes nothing.
 *
 *     const { run, plan } = await trimRun(model, { amount: { maxVocab: 16_000 }, corpus: corpus("wiki.txt"), check: corpus("news.txt") });
 *
 * @throws InputError if a text cannot be used, an option is out of range, or the tokenizer cannot be trimmed
 */
export async function trimRun(model: Model, options: TrimOptions): Promise<TrimResult> {
  const started = performance.now();
  const { corpus, check, amount, separator, beginOfText = "auto", signal, onEvent } = options;
  const { tokens = usualTokens, checkTokens = usualCheckTokens } = options;
  const contextLength = contextLengthFor([model], options.contextLength, corpus);
  requireOneStage(model, "trimmed");
  const usage = await measureUsage(model, corpus, {
    ...{ tokens, contextLength, separator, beginOfText, signal },
    onProgress: progressOf(onEvent, "rank", "tokens", tokens),
  });
  const plan = "plan" in amount ? amount.plan : await planTrim(model, amount, { ...options, usage });
  const checkpoint = await trimVocabulary(model, plan);
  const own = await model.tokenizer();
  const text = await checkText(check, own, checkTokens);
  const tokenizer = await tokenizerOf(model, checkpoint);
  const measured = { text, trimmed: tokenizer, kept: plan.kept };
  const { name, modelType, hiddenSize, dtype, head } = model;
  const run: TrimRun = {
    model: { name, modelType, hiddenSize, dtype, tied: head.tied },
    corpus: {
      ...{ fit: corpus.files, check: check.files, contextLength, contexts: usage.contexts },
      beginOfText: await beginsWindows(model, corpus, beginOfText),
    },
    vocabSize: { before: head.vocabSize, after: checkpoint.oldIds.length },
    kept: { tokens: plan.kept.length, ...plan.counts },
    removed: removedShares(usage, plan),
    check: await measureTrim(model, measured, {
      ...{ contextLength, beginOfText: beginOfTextIds(model, own, beginOfText), signal },
      onProgress: progressOf(onEvent, "measure", "tokens"),
    }),
    kinds: tokenKinds(own, usage, plan.kept),
    curve: massCurve(usage),
    mostUsed: mostUsed(own, usage, plan),
    bytes: bytesOf(model, checkpoint),
    milliseconds: await decodingTime(model, trimmedHeadGraph(model, checkpoint), signal),
    warnings: [
      ...(plan.notes ?? []),
      ...checkpoint.leftOut.map((file) => `${file} is left out: it holds the whole vocabulary`),
    ],
    threads: model.engine.threads,
    seconds: (performance.now() - started) / 1000,
  };
  return { plan, run, checkpoint, checked: { text, tokenizer } };
}

/** The tokenizer that a trimmed model will have. */
function tokenizerOf({ folder }: Model, { files }: TrimmedCheckpoint): Promise<Tokenizer> {
  const contents = new Map(files);
  return loadTokenizer({
    name: folder.name,
    endedAfter: folder.endedAfter,
    async open(name) {
      const text = contents.get(name);
      if (typeof text === "string") return bytesSource(name, new TextEncoder().encode(text));
      // What is not text is copied.
      return text === undefined ? undefined : folder.open(name);
    },
  });
}

function removedShares({ meanProbability, counts, contexts }: TokenUsage, { kept }: TrimPlan) {
  const stays = new Set(kept);
  let [mass, count] = [0, 0];
  for (const [id, alpha] of meanProbability.entries()) {
    if (stays.has(id)) continue;
    mass += alpha;
    count += counts[id]!;
  }
  return { mass, ofText: count / contexts };
}

function mostUsed(tokenizer: Tokenizer, usage: TokenUsage, { kept }: TrimPlan): RemovedToken[] {
  const stays = new Set(kept);
  const gone = rankedByUse(usage).filter((id) => !stays.has(id) && tokenizer.produces(id));
  return gone.slice(0, mostShown).map((id) => ({
    ...{ id, text: tokenizer.tokenText(id) },
    ...{ meanProbability: usage.meanProbability[id]!, count: usage.counts[id]! },
  }));
}

function bytesOf(model: Model, { oldIds }: TrimmedCheckpoint): TrimRun["bytes"] {
  const { head } = model;
  const after = (bytes: number) => (bytes / head.vocabSize) * oldIds.length;
  const own = head.weight.byteLength + (head.bias?.byteLength ?? 0);
  const rows = weightBytes(rowTensors(model));
  const whole = weightBytes(model.tensors);
  return { head: { before: own, after: after(own) }, model: { before: whole, after: whole - rows + after(rows) } };
}

function trimmedHeadGraph({ head, description, engine }: Model, { oldIds }: TrimmedCheckpoint) {
  const { weight, bias } = head;
  const rows = oldIds.map((id) => Math.max(id, 0));
  const trimmed = {
    ...head,
    vocabSize: rows.length,
    tied: weight === description.inputEmbedding,
    weight: { ...chosenRows(weight, rows), name: "trimmed.weight" },
    bias: bias && { ...chosenRows(bias, rows), name: "trimmed.bias" },
  };
  return logitsGraph(trimmed, engine);
}
