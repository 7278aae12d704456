import { InputError } from "../errors.js";
import type { ContextRows, StoredContexts } from "../model/contexts/stored-contexts.js";
import { once, optionalTokenizer } from "../model/head/head-model.js";
import { requireOneStage } from "../model/head/one-stage.js";
import { readFinalNorm } from "../model/layers/constant-direction.js";
import type { Model } from "../model/model.js";
import type { RowStore } from "../model/pass/row-store.js";
import { type Ban, solveBan } from "./bans/bans.js";
import { solveWithBans } from "./bans/with-bans.js";
import { isGuarded } from "./plan/edit-plan.js";
import type { EditPlan } from "./plan/saved-plan.js";
import { isBan, type TokenGroup } from "./plan/targets.js";
import { isInContext } from "./plan/word-edits.js";
import type { Probes } from "./probes/probe-contexts.js";
import { producedIds } from "./probes/text-probes.js";
import { encodingOf } from "./solve/encoding-of.js";
import { solveAtLoweredLambdas } from "./solve/lowered-lambda.js";
import type { Subject } from "./solve/problem/fitting-text.js";
import { guardContexts } from "./solve/rows/guard-contexts.js";
import type { FoundRows, WeighedContexts } from "./solve/rows/nearest-edits.js";
import type { Solution } from "./solve/solution.js";
import { solveEdits } from "./solve/solve-edits.js";
import { wordSolver } from "./words/with-words.js";

/** Solves a plan's edits. @param alsoRight contexts that edits by `nearest` are to get right as well, weighed in the plan's order */
export type PlanSolver = (alsoRight: WeighedContexts | undefined) => Promise<Solution>;

/** The contexts that a plan is solved in. */
export interface SolverContexts {
  readonly contexts: StoredContexts;
  /** Bans are solved for these too. */
  readonly probes: Probes;
  /** Room for the hidden states of a guard. */
  readonly guardStore: RowStore;
}

export interface SolverOptions {
  /** The largest probability that a banned token may have, in any context. Default: 5e-4, and 4 / V where that is more. */
  readonly bound?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The largest probability of a banned token, unless told; and of how many rows a combination consists at least. */
const defaultBound = 5e-4;
const fewestRows = 4;
/** How the contexts of a guard count beside those of the text. */
const guardShare = 0.1;

/**
 * What solves a plan: bans first, once for all; then the other edits on the head that has the bans.
 * @throws InputError if the model does not allow the plan's method
 */
export async function planSolver(
  model: Model,
  plan: EditPlan,
  { contexts, probes, guardStore }: SolverContexts,
  options: SolverOptions,
): Promise<PlanSolver> {
  const { signal } = options;
  requireOneStage(model, "steered");
  const { method, calibrate, salient } = plan;
  const exact = plan.exact ? { finalNorm: await finalNormOf(model) } : undefined;
  const guard = once(() => guardContexts(model, contexts, { store: guardStore, signal }));
  const guardOf = isGuarded(plan) ? guard : undefined;
  const needsEncoding = method === "encoding" || method === "salient";
  const encoding = needsEncoding ? await encodingOf(model, contexts, signal) : {};
  // Edits of words are solved for behind all others, each in contexts of its own.
  const inAll = plan.edits.filter((edit) => !isInContext(edit));
  const groups = groupsOf({ edits: inAll });
  const adjusts = method === "nearest" && calibrate && !plan.fixedLambda;

  const found: FoundRows = new Map();

  const solveOn = (
    subject: Subject,
    some: readonly TokenGroup[],
    lambdas: readonly number[],
    alsoRight: WeighedContexts | undefined,
  ) => {
    const solve = (lambda: readonly number[]) =>
      solveEdits(subject, some, {
        ...encoding,
        ...{ method, lambda, calibrate, exact, guardOf, alsoRight, found, signal },
        salient: method === "salient" ? (salient ?? model.hiddenSize) : undefined,
      });
    return adjusts ? solveAtLoweredLambdas(solve, lambdas) : solve(lambdas);
  };
  const subject = { head: model.head, engine: model.engine, contexts };
  const start = startLambdas({ ...plan, edits: inAll });
  const ban = await banOf(model, plan, { contexts, probes, guard }, options);
  const ofOthers = <Each>(each: readonly Each[]) => each.filter((_, g) => !isBan(groups[g]!.target));
  const ofInAll = (right: WeighedContexts | undefined) =>
    right && { ...right, weights: right.weights.filter((_, g) => !isInContext(plan.edits[g]!)) };
  const solveInAll: PlanSolver | undefined =
    groups.length === 0
      ? undefined
      : ban === undefined
        ? (alsoRight) => solveOn(subject, groups, start, alsoRight)
        : (alsoRight) => {
            const right = alsoRight && { ...alsoRight, weights: ofOthers(alsoRight.weights) };
            return solveWithBans(subject, groups, ban, (on, some) => solveOn(on, some, ofOthers(start), right), {
              signal,
            });
          };
  if (solveInAll !== undefined && groups.length === plan.edits.length) return solveInAll;
  const solveWords = wordSolver(model, plan, { contexts, probes, guardOf }, { signal });
  return async (alsoRight) => solveWords(await solveInAll?.(ofInAll(alsoRight)), alsoRight);
}

/** Whether a plan bans tokens by rows that keep a bound, rather than by the plan's own method. */
const hasBans = ({ forced = false, edits }: EditPlan): boolean => !forced && edits.some(({ target }) => isBan(target));

/** lambda of each edit to begin with. */
export const startLambdas = (plan: Pick<EditPlan, "edits" | "lambda">): number[] =>
  plan.edits.map(({ lambda = plan.lambda }) => lambda);

/** The plan's edits as the solver takes them. */
export const groupsOf = ({ edits }: Pick<EditPlan, "edits">): TokenGroup[] =>
  edits.map(({ tokens, target }) => ({ tokens: tokens.map(({ id }) => id), target }));

/** Of all that a plan bans; undefined if that is nothing, or its method is to be used for bans too. */
async function banOf(
  model: Model,
  plan: EditPlan,
  {
    contexts,
    probes,
    guard: guardOf,
  }: Pick<SolverContexts, "contexts" | "probes"> & { guard: () => Promise<ContextRows | undefined> },
  { bound = Math.max(defaultBound, fewestRows / model.vocabSize), signal }: SolverOptions,
): Promise<Ban | undefined> {
  const groups = groupsOf(plan);
  const banned = groups.flatMap(({ tokens, target }) => (isBan(target) ? tokens : [])).sort((a, b) => a - b);
  if (!hasBans(plan)) return undefined;
  const edited = new Set(groups.flatMap(({ tokens }) => tokens));
  const others = producedIds(await optionalTokenizer(model), model.vocabSize).filter((id) => !edited.has(id));
  const guard = await guardOf();
  const fitted = [{ contexts, weight: 1 }, ...(guard ? [{ contexts: guard, weight: guardShare }] : [])];
  return solveBan(model, { banned, others, fitted, probes, bound }, undefined, { signal });
}

/** @throws InputError if the model's layers do not end in a LayerNorm with weight and bias */
export async function finalNormOf({ name, modelType, description }: Model) {
  const norm = await readFinalNorm(description);
  if (norm !== undefined) return norm;
  throw new InputError(
    "exact",
    `${name} (${modelType}) does not end in a LayerNorm with a bias, which the exact direction needs`,
  );
}
