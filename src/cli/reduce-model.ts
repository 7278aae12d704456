import { availableParallelism } from "node:os";
import { InputError } from "../errors.js";
import type { Head } from "../model/head.js";
import type { Model } from "../model/model.js";
import type { HubOptions } from "../node/hub/repository.js";
import { reductionFiles } from "../node/reduction-files.js";
import { checkOut, clearOut } from "../node/save-model.js";
import { version } from "../node/version.js";
import { type WritableReduction, writableReduction } from "../node/written-reduction.js";
import { reducedBytes, spreadHead } from "../reduction/factored-head.js";
import { measureHead } from "../reduction/measure-head.js";
import type { ReducedHead } from "../reduction/orders.js";
import { reducedTexts } from "../reduction/reduced-texts.js";
import { keptFor, planReduction, type ReductionPlan, reduceHead } from "../reduction/reduction-plan.js";
import type { ReductionMeasures, ReductionRun } from "../reduction/reduction-run.js";
import { summarizeReduction } from "../reduction/summary.js";
import { commandLine } from "./arguments.js";
import { noProgress, tokenProgress } from "./progress.js";
import type { ReduceArguments } from "./reduce.js";
import { type StoredText, type StoredTexts, storeTexts } from "./reduce-texts.js";
import { noRefineProgress, refineProgress } from "./refine-progress.js";

interface Running {
  /** performance.now() at the command's beginning. */
  readonly started: number;
  readonly signal: AbortSignal;
  readonly hub: HubOptions;
}

/** Reduces, writes, reads back and measures as the command line says. @throws InputError if something of it cannot be */
export async function reduceModel(model: Model, args: ReduceArguments, running: Running): Promise<ReductionRun> {
  const { out } = args;
  const kept = keptFor(args, model.hiddenSize);
  if (out !== undefined) {
    if (!args.dryRun) await clearOut(out);
    await checkOut(model, out, args.force);
  }
  const texts = await storeTexts(model, args, running);
  try {
    const found = await reduce(model, texts, kept, args, running);
    const writable = await inFormat(model, found.reduced, texts, args, running.signal);
    const measured = (head: Head) => measuredRun(model, head, { texts, found, notes: writable.notes }, args, running);
    if (args.dryRun) return await measured(writable.head);
    let run: ReductionRun | undefined;
    await writable.save(out!, async (head) => {
      run = await measured(head);
      const how = { command: commandLine(process.argv.slice(2)), arguments: { model: model.name, ...args } };
      const { arrays: _, ...plan } = found.plan;
      const record = { unembed: version, plan, measured: summarizeReduction(run, out) };
      return [["unembed.json", `${JSON.stringify(record, undefined, 2)}\n`], ...reductionFiles(run, how)];
    });
    return run!;
  } finally {
    await texts.release();
  }
}

/** As it is to be written; a dry run also measures what the format has no place for. */
async function inFormat(
  model: Model,
  reduced: ReducedHead,
  { fit }: StoredTexts,
  { format, threads, bias, force, dryRun }: ReduceArguments,
  signal: AbortSignal,
): Promise<WritableReduction> {
  const withoutBias = bias ? undefined : fit.contexts;
  try {
    return await writableReduction(model, reduced, { format, threads, withoutBias, force, signal });
  } catch (error) {
    if (!dryRun || !(error instanceof InputError)) throw error;
    const save = () => Promise.reject(error);
    return { head: await spreadHead(model, reduced), notes: [`could not be written: ${error.message}`], save };
  }
}

interface Found {
  readonly plan: ReductionPlan;
  readonly reduced: ReducedHead;
  readonly warnings: readonly string[];
  readonly budget?: ReductionRun["budget"];
  readonly curve?: ReductionRun["curve"];
  readonly encoding?: ReductionRun["encoding"];
}

/** What is measured of the head that was written, and all that is known beside it. */
async function measuredRun(
  model: Model,
  head: Head,
  { texts, found, notes }: { texts: StoredTexts; found: Found; notes: readonly string[] },
  args: ReduceArguments,
  { started, signal }: Running,
): Promise<ReductionRun> {
  const { name, modelType, vocabSize, hiddenSize, dtype } = model;
  const { plan: _, reduced, warnings, ...rest } = found;
  const measured = async (label: string, { contexts }: StoredText): Promise<ReductionMeasures> => {
    const progress = args.quiet ? noProgress : tokenProgress(process.stderr, label);
    const onProgress = (done: number) => progress.update(done, contexts.count);
    return measureHead(model, head, contexts, { signal, onProgress }).finally(progress.stop);
  };
  const { fit, check, contextLength, separator } = texts;
  const deleted = hiddenSize - reduced.kept;
  return {
    model: { name, modelType, vocabSize, hiddenSize, dtype, tied: model.head.tied },
    corpus: {
      ...{ fit: fit.corpus.files, check: check.corpus.files, contextLength },
      contexts: { fit: fit.contexts.count, check: check.contexts.count },
    },
    ...{ deleted, kept: reduced.kept },
    ...{ order: reduced.order, compensate: reduced.compensation },
    metric: reduced.order === "rotation" ? args.metric : undefined,
    seed: args.seed,
    format: args.dryRun ? undefined : args.format,
    measures: { fit: await measured("measure fit", fit), check: await measured("measure check", check) },
    ...rest,
    generated: args.curve
      ? [
          await reducedTexts(model, { head, deleted }, check.corpus, {
            contextLength,
            separator,
            seed: args.seed,
            signal,
          }),
        ]
      : undefined,
    bytes: await reducedBytes(model, reduced),
    warnings: [...warnings, ...notes],
    threads: args.threads ?? availableParallelism(),
    seconds: (performance.now() - started) / 1000,
  };
}

/** Finds what is to be deleted and what makes up for it. */
async function reduce(
  model: Model,
  { fit }: StoredTexts,
  kept: number,
  args: ReduceArguments,
  { signal }: Running,
): Promise<Found> {
  const { order, compensate, metric, seed, steps, quiet } = args;
  const passes = quiet ? noProgress : tokenProgress(process.stderr, "reduce");
  const refining = quiet ? noRefineProgress : refineProgress(process.stderr);
  try {
    const plan = await planReduction(model, fit.contexts, {
      ...{ kept, order, compensate, metric, seed, signal },
      onProgress: (contexts) => passes.update(contexts, fit.contexts.count),
      refine: {
        steps,
        onProgress(progress) {
          passes.stop();
          refining.update(progress);
        },
      },
    });
    return { plan, reduced: reduceHead(model, plan), warnings: plan.warnings };
  } finally {
    passes.stop();
    refining.stop();
  }
}
