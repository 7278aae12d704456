import type { Corpus } from "../../corpus/corpus.js";
import { dimensionsFor } from "../../encoding/sparsity/saliency.js";
import { createProducts } from "../../engine/products.js";
import { InputError } from "../../errors.js";
import type { BeginOfText } from "../../model/contexts/begin-of-text.js";
import { storeText } from "../../model/contexts/store-text.js";
import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import { tokenNames } from "../../model/head/token-names.js";
import { constantDirection, readFinalNorm } from "../../model/layers/constant-direction.js";
import type { Model } from "../../model/model.js";
import { memoryStore, type RowStore } from "../../model/pass/row-store.js";
import { type CheckText, checkTexts } from "../check/check-texts.js";
import type { EditWay } from "../plan/edit-plan.js";
import { methods } from "../plan/method.js";
import type { EditPlan } from "../plan/saved-plan.js";
import type { Target } from "../plan/targets.js";
import { finalNormOf } from "../plan-solver.js";
import { type ContextEncoding, encodingOf } from "../solve/encoding-of.js";
import { guardContexts } from "../solve/rows/guard-contexts.js";
import { firstContexts, type Laboratory, makeTrials, type TrialJob, type Variant } from "./experiments.js";
import { frequencyBands, randomTokens } from "./random-tokens.js";
import type { Trial, TrialGroup } from "./trial.js";
import { openTrialText, type TrialText } from "./trial-text.js";

/** The experiments to make; one that is left out is not made. */
export interface ExperimentOptions {
  /** Factors that random tokens of each frequency band are to get. */
  readonly scales?: readonly number[] | undefined;
  /** Contexts to fit on. */
  readonly tokenCounts?: readonly number[] | undefined;
  /** Every method beside the others. */
  readonly methods?: boolean | undefined;
  /** lambdas of `nearest`. */
  readonly lambdas?: readonly number[] | undefined;
  /** Random tokens of each band. Default 4. */
  readonly perBand?: number | undefined;
  /** Seed of the choice of tokens and of the bootstrap. Default 1. */
  readonly seed?: number | undefined;
  /** Tokens of the fitting text and of each other text. Default: all. */
  readonly tokens?: number | undefined;
  readonly checkTokens?: number | undefined;
  readonly contextLength?: number | undefined;
  /** Whether every window starts with the begin-of-text token. Default "auto": as the model's own tokenizer does it. */
  readonly beginOfText?: BeginOfText | undefined;
  /** Token put between documents. */
  readonly separator?: number | null | undefined;
  /** Makes a place for the hidden states of one text. Default: in memory. */
  readonly store?: (() => Promise<RowStore>) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told how many trials of how many are done. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Edits that were made alone and measured without being written. */
export interface Experiments {
  readonly groups: readonly TrialGroup[];
  /** Asked for scales against random tokens: the plan's method, and the paper's direction as it is. */
  readonly scales?: readonly Trial[] | undefined;
  readonly tokenCounts?: readonly Trial[] | undefined;
  readonly methods?: readonly Trial[] | undefined;
  readonly lambdas?: readonly Trial[] | undefined;
  /** lambda that the plan chose. */
  readonly chosenLambda: number;
}

/** The part of a plan that experiments take over. */
export type ExperimentPlan = EditWay & {
  /** None: tokens drawn at random stand in for them. */
  readonly edits: readonly Pick<EditPlan["edits"][number], "label" | "target" | "tokens" | "prefix">[];
};

/** Where no edits are asked for, and what a mean probability may become at most. */
const standInScales = [0.2, 5];
const largestProbability = 0.3;
/** Asked edits that trials are made of. */
const mostAsked = 24;

/** @throws InputError if a text cannot be used or a target cannot be a probability */
export async function runExperiments(
  model: Model,
  plan: ExperimentPlan,
  texts: { readonly [Text in CheckText]?: Corpus | undefined },
  options: ExperimentOptions,
): Promise<Experiments> {
  const { store = async () => memoryStore(), signal, seed = 0 } = options;
  const products = await createProducts(model.engine, model.hiddenSize);
  const stored: { text: CheckText; contexts: StoredContexts }[] = [];
  const guardsHeld: StoredContexts[] = [];
  try {
    for (const text of checkTexts) {
      const corpus = texts[text];
      if (corpus === undefined) continue;
      const { contextLength, separator, beginOfText } = options;
      const tokens = text === "fit" ? options.tokens : options.checkTokens;
      const kept = { tokens, contextLength, separator, beginOfText, signal, store: await store() };
      stored.push({ text, contexts: await storeText(model, corpus, kept) });
    }
    const [fit] = stored;
    if (fit?.text !== "fit") throw new RangeError("the experiments need a text to fit on");
    const encoding = remembered((contexts: StoredContexts) => encodingOf(model, contexts, signal));
    const draws = options.scales !== undefined || plan.edits.length === 0;
    const drawn = draws ? await encoding(fit.contexts) : undefined;
    const { groups, asked } = trialGroups(plan, drawn, (await tokenNames(model)).tokenText, options);
    const opened: TrialText[] = [];
    for (const { text, contexts } of stored) {
      opened.push(await openTrialText(text, { ...model, contexts }, products, { signal }));
    }
    const laboratory: Laboratory = {
      head: model.head,
      engine: model.engine,
      texts: opened as [TrialText, ...TrialText[]],
      groups,
      beginning: remembered((count) => firstContexts(fit.contexts, count)),
      guardOf: remembered(async (contexts: StoredContexts) => {
        if (!(plan.guard ?? true)) return undefined;
        const guard = await guardContexts(model, contexts, { store: await store(), signal });
        if (guard) guardsHeld.push(guard);
        return guard;
      }),
      directions: async (contexts) => {
        const { slopes, saliency } = await encoding(contexts);
        const { "50": half } = dimensionsFor(saliency);
        return { slopes, saliency, salient: plan.salient ?? (plan.method === "salient" ? model.hiddenSize : half) };
      },
      seed,
      signal,
    };
    const finalNorm = plan.exact ? await finalNormOf(model) : await readFinalNorm(model.description);
    const exact = finalNorm && constantDirection(finalNorm) ? { finalNorm } : undefined;
    const variant: Variant = {
      ...{ method: plan.method, lambda: plan.lambda, calibrate: plan.calibrate, fixedLambda: plan.fixedLambda },
      exact: plan.exact ? exact : undefined,
    };
    const jobs = plannedJobs({ options, plan, variant, exact, groups, asked, drawn, contexts: fit.contexts.count });
    const total = Object.values(jobs).reduce((sum, list) => sum + (list?.length ?? 0), 0);
    let before = 0;
    const results: { [name: string]: Trial[] } = {};
    for (const [name, list] of Object.entries(jobs)) {
      if (list === undefined) continue;
      results[name] = await makeTrials(laboratory, list, (done) => options.onProgress?.(before + done, total));
      before += list.length;
    }
    return { groups, ...results, chosenLambda: plan.lambda };
  } catch (error) {
    if (error instanceof RangeError) throw new InputError("edits", error.message);
    throw error;
  } finally {
    await Promise.all([
      products.release(),
      ...[...stored.map(({ contexts }) => contexts), ...guardsHeld].map((held) => held.release()),
    ]);
  }
}

interface AskedTrial {
  readonly group: number;
  readonly target: Target;
}

/** The asked edits, and tokens drawn at random: those of the sweep, and where no edit is asked for, of everything. */
function trialGroups(
  plan: ExperimentPlan,
  drawn: ContextEncoding | undefined,
  textOf: (id: number) => string,
  { perBand = 4, seed = 0 }: ExperimentOptions,
): { groups: TrialGroup[]; asked: AskedTrial[] } {
  const groups: TrialGroup[] = [];
  const asked: AskedTrial[] = [];
  for (const { label, target, tokens } of plan.edits.slice(0, mostAsked)) {
    asked.push({ group: groups.length, target });
    groups.push({ label, tokens });
  }
  if (drawn === undefined) return { groups, asked };
  const { meanProbability, tokenIds } = drawn;
  for (const [band, place] of frequencyBands.entries()) {
    for (const id of randomTokens(meanProbability, tokenIds, place, perBand, seed + band)) {
      for (const scale of plan.edits.length > 0 ? [] : standInScales) {
        if (scale * meanProbability[id]! < largestProbability) asked.push({ group: groups.length, target: { scale } });
      }
      groups.push({ label: textOf(id), tokens: [{ id, text: textOf(id) }], band });
    }
  }
  return { groups, asked };
}

function plannedJobs({
  options: { scales, tokenCounts, methods: allMethods, lambdas: triedLambdas },
  plan,
  variant,
  exact,
  groups,
  asked,
  drawn,
  contexts,
}: {
  options: ExperimentOptions;
  plan: ExperimentPlan;
  variant: Variant;
  /** For models with a LayerNorm at the end. */
  exact: Variant["exact"];
  groups: readonly TrialGroup[];
  asked: readonly AskedTrial[];
  /** Where there are tokens drawn at random. */
  drawn: ContextEncoding | undefined;
  contexts: number;
}): { [Name in "scales" | "tokenCounts" | "methods" | "lambdas"]?: TrialJob[] | undefined } {
  const { lambda } = plan;
  const paper: Variant = { method: "encoding", lambda, calibrate: false };
  const all = methods.map((method): Variant => ({ method, lambda, calibrate: true, fixedLambda: plan.fixedLambda }));
  if (exact) all.push({ method: "constant", lambda, calibrate: true, exact });
  const reachable = (group: TrialGroup, scale: number) =>
    scale * group.tokens.reduce((sum, { id }) => sum + (drawn?.meanProbability[id] ?? 0), 0) < largestProbability;
  const counts = tokenCounts && [...new Set(tokenCounts.map((count) => Math.min(count, contexts)))];
  const lambdas = triedLambdas && [...new Set([...triedLambdas, lambda])].sort((a, b) => a - b);
  return {
    // 1 asks for nothing.
    scales: scales
      ?.filter((scale) => scale !== 1)
      .flatMap((scale) =>
        groups.flatMap((group, g) =>
          group.band !== undefined && reachable(group, scale)
            ? [variant, paper].map((one): TrialJob => ({ group: g, target: { scale }, variant: one }))
            : [],
        ),
      ),
    methods: allMethods
      ? asked.flatMap((edit) => [...all, paper].map((one) => ({ ...edit, variant: one })))
      : undefined,
    lambdas: lambdas?.flatMap((one) =>
      asked.map((edit): TrialJob => {
        const fixed = { method: "nearest", lambda: one, calibrate: true, fixedLambda: true } as const;
        return { ...edit, variant: fixed };
      }),
    ),
    tokenCounts: counts?.flatMap((count) => asked.map((edit): TrialJob => ({ ...edit, variant, contexts: count }))),
  };
}

/** The same answer to the same question. */
function remembered<Key, Value>(answer: (key: Key) => Value): (key: Key) => Value {
  const known = new Map<Key, Value>();
  return (key) => {
    if (!known.has(key)) known.set(key, answer(key));
    return known.get(key)!;
  };
}
