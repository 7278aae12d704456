import { availableParallelism } from "node:os";
import { InputError } from "../errors.js";
import { canHoldBias } from "../export/edited-checkpoint.js";
import type { Head } from "../model/head/head.js";
import type { ReducedHead } from "../model/head/reduced-head.js";
import type { Model } from "../model/model.js";
import type { HubOptions } from "../node/hub/repository.js";
import { reductionFiles } from "../node/save/reduction-files.js";
import { writeReductionPlan } from "../node/save/reduction-plan-folder.js";
import { checkOut, clearOut } from "../node/save/save-model.js";
import { type WritableReduction, writableReduction } from "../node/save/written-reduction.js";
import { version } from "../node/version.js";
import { encodingCurve } from "../reduction/curves/encoding-curve.js";
import { reductionCurve } from "../reduction/curves/reduction-curve.js";
import { refinedCurve } from "../reduction/curves/refined-curve.js";
import { decodingTime } from "../reduction/measure/decoding-time.js";
import { type ContextRange, measureHead } from "../reduction/measure/measure-head.js";
import { reducedTexts } from "../reduction/measure/reduced-texts.js";
import { headOf } from "../reduction/methods/head-of-expansion.js";
import { orders } from "../reduction/methods/orders.js";
import { prepareReductions } from "../reduction/methods/prepare.js";
import { planWithin } from "../reduction/plan/plan-within.js";
import { keptFor, planReduction, type ReductionPlan, reduceHead } from "../reduction/plan/reduction-plan.js";
import type { ReductionMeasures, ReductionRun } from "../reduction/reduction-run.js";
import { summarizeReduction } from "../reduction/summary.js";
import { biasDirection } from "../reduction/write/exact-head.js";
import { reducedBytes, spreadHead } from "../reduction/write/factored-head.js";
import type { ReduceArguments } from "./commands/reduce.js";
import { commandLine } from "./options/arguments.js";
import { curveProgress, noCurveProgress } from "./progress/curve-progress.js";
import { noProgress, tokenProgress } from "./progress/progress.js";
import { noRefineProgress, refineProgress } from "./progress/refine-progress.js";
import { asPlanned, checkPlanFolder, givenPlan } from "./reduce-plan.js";
import { type StoredText, type StoredTexts, storeTexts } from "./reduce-texts.js";

/** Shares deleted, beside the one asked for, at which --curve also has texts written. */
const textFractions = [0.3, 0.5, 0.7];

interface Running {
  /** performance.now() at the command's beginning. */
  readonly started: number;
  readonly signal: AbortSignal;
  readonly hub: HubOptions;
}

/** Reduces, writes, reads back and measures as the command line says. @throws InputError if something of it cannot be */
export async function reduceModel(model: Model, asked: ReduceArguments, running: Running): Promise<ReductionRun> {
  const given = asked.plan === undefined ? undefined : await givenPlan(asked.plan, model);
  const args = given ? asPlanned(asked, given) : asked;
  const { out, savePlan } = args;
  const size = args.maxKl === undefined && !given ? keptFor(args, model.hiddenSize) : undefined;
  if (savePlan !== undefined) await checkPlanFolder(savePlan, args.force);
  if (out !== undefined) {
    if (!args.dryRun) await clearOut(out);
    await checkOut(model, out, args.force);
  }
  const needsBias = args.compensate !== "none" || args.order === "rotation";
  if (!args.dryRun && args.format === "safetensors" && args.bias && needsBias && !canHoldBias(model)) {
    await biasDirection(model);
  }
  const texts = await storeTexts(model, args, running);
  try {
    const found = await reduce(model, texts, given ?? size, args, running);
    const writable = await inFormat(model, found.reduced, texts, args, running.signal);
    const measured = (head: Head) => measuredRun(model, head, { texts, found, notes: writable.notes }, args, running);
    const written = async (): Promise<ReductionRun> => {
      let run: ReductionRun | undefined;
      await writable.save(out!, async (head) => {
        run = await measured(head);
        const how = { command: commandLine(process.argv.slice(2)), arguments: { model: model.name, ...args } };
        const { arrays: _, ...plan } = found.plan;
        const record = { unembed: version, plan, measured: summarizeReduction(run, out) };
        return [["unembed.json", `${JSON.stringify(record, undefined, 2)}\n`], ...reductionFiles(run, how)];
      });
      return run!;
    };
    const run = args.dryRun ? await measured(writable.head) : await written();
    if (savePlan !== undefined) await writeReductionPlan(found.plan, savePlan);
    return run;
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
  /** Contexts of the unseen text that a search for a budget left for its verification. */
  readonly verify: ContextRange | undefined;
  /** By the same method at other sizes: to have texts written. */
  readonly others: readonly ReducedHead[];
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
  const { plan, reduced, verify, others, ...rest } = found;
  const measured = async (
    label: string,
    { contexts }: StoredText,
    range?: ContextRange,
  ): Promise<ReductionMeasures> => {
    const progress = args.quiet ? noProgress : tokenProgress(process.stderr, label);
    const onProgress = (done: number) => progress.update(done, contexts.count);
    return measureHead(model, head, contexts, { signal, onProgress, range }).finally(progress.stop);
  };
  const { fit, check, contextLength, separator } = texts;
  const deleted = hiddenSize - reduced.kept;
  const budget = verify && { maxKl: args.maxKl!, verified: await measured("verify", check, verify) };
  return {
    model: { name, modelType, vocabSize, hiddenSize, dtype, tied: model.head.tied },
    corpus: {
      ...{ fit: fit.corpus.files, check: check.corpus.files, contextLength },
      contexts: { fit: fit.contexts.count, check: check.contexts.count },
    },
    ...{ deleted, kept: reduced.kept },
    ...{ order: plan.order, compensate: plan.compensate },
    metric: plan.order === "rotation" ? args.metric : undefined,
    seed: args.seed,
    format: args.dryRun ? undefined : args.format,
    measures: { fit: await measured("measure fit", fit), check: await measured("measure check", check) },
    ...{ ...rest, budget },
    generated: args.curve ? await generatedAt() : undefined,
    bytes: await reducedBytes(model, reduced),
    milliseconds: await decodingTime(model, reduced, signal),
    warnings: [...plan.warnings, ...notes, ...budgetWarnings(budget)],
    threads: args.threads ?? availableParallelism(),
    seconds: (performance.now() - started) / 1000,
  };

  /** Texts of the head that is measured and, as nobody can read a curve's every point, of a few others. */
  async function generatedAt() {
    const options = { contextLength, separator, seed: args.seed, signal };
    const texts = [await reducedTexts(model, { head, deleted }, check.corpus, options)];
    for (const other of others) {
      if (other.kept === reduced.kept) continue;
      const spread = { head: await spreadHead(model, other), deleted: hiddenSize - other.kept };
      texts.push(await reducedTexts(model, spread, check.corpus, options));
    }
    return texts.sort((a, b) => a.deleted - b.deleted);
  }
}

function budgetWarnings(budget: ReductionRun["budget"]): string[] {
  if (budget === undefined || budget.verified.kl.mean <= budget.maxKl) return [];
  const found = budget.verified.kl.mean.toPrecision(3);
  return [`on text that the search did not see the mean KL is ${found}, above the budget of ${budget.maxKl}`];
}

/**
 * Finds what is to be deleted and what makes up for it, and what other methods would lose.
 * @param given a plan to use as it is, or k; by a budget otherwise
 */
async function reduce(
  model: Model,
  { fit, check }: StoredTexts,
  given: ReductionPlan | number | undefined,
  args: ReduceArguments,
  { signal }: Running,
): Promise<Found> {
  const { order, compensate, metric, seed, steps, quiet, maxKl, curve } = args;
  const passes = quiet ? noProgress : tokenProgress(process.stderr, "reduce");
  const refining = quiet ? noRefineProgress : refineProgress(process.stderr);
  const points = quiet ? noCurveProgress : curveProgress(process.stderr);
  try {
    if (typeof given === "object" && !curve) {
      return { plan: given, reduced: reduceHead(model, given), verify: undefined, others: [] };
    }
    const reductions = await prepareReductions(model, fit.contexts, {
      ...{ orders: curve ? orders : [order], metric, seed, signal },
      onProgress: (contexts) => passes.update(contexts, fit.contexts.count),
    });
    passes.stop();
    const choice = {
      ...{ order, compensate, metric, seed, signal },
      refine: { steps, onProgress: refining.update },
    };
    const { plan, verify } = await planned();
    refining.stop();
    const reduced = { plan, reduced: reduceHead(model, plan), verify };
    if (!curve) return { ...reduced, others: [] };
    const measured = await reductionCurve(model, reductions, check.contexts, { signal, onProgress: points.update });
    points.stop();
    const others: ReducedHead[] = [];
    if (compensate === "refine") {
      const known = typeof given === "object" ? undefined : plan;
      const texts = { fit: fit.contexts, check: check.contexts };
      const refined = refinedCurve(model, reductions, texts, { ...choice, known, onPoint: refining.begin });
      for await (const { point, reduced } of refined) {
        measured.push(point);
        if (textFractions.includes(point.fraction)) others.push(reduced);
      }
      refining.stop();
    } else {
      for (const fraction of textFractions) {
        const kept = keptFor({ fraction }, model.hiddenSize);
        others.push(await headOf(model, reductions.expansion(order, compensate, kept)));
      }
    }
    const encoding = await encodingCurve(model, reductions, fit.contexts, orders, signal);
    return { ...reduced, others, curve: measured, encoding };

    async function planned(): Promise<Pick<Found, "plan" | "verify">> {
      if (typeof given === "object") return { plan: given, verify: undefined };
      if (given === undefined) {
        return planWithin(model, reductions, { fit: fit.contexts, check: check.contexts }, choice, maxKl!);
      }
      return {
        plan: await planReduction(model, fit.contexts, { ...choice, kept: given }, reductions),
        verify: undefined,
      };
    }
  } finally {
    passes.stop();
    refining.stop();
    points.stop();
  }
}
