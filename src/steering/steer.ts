import type { Corpus } from "../corpus/corpus.js";
import { InputError } from "../errors.js";
import { type StoreTextOptions, storeText } from "../model/contexts/store-text.js";
import type { StoredContexts } from "../model/contexts/stored-contexts.js";
import type { HeadChange } from "../model/head/head-change.js";
import type { Model } from "../model/model.js";
import { memoryStore, roomBehind } from "../model/pass/row-store.js";
import type { EditPlan } from "./plan/saved-plan.js";
import { finalNormOf, planSolver, startLambdas } from "./plan-solver.js";
import type { Probes } from "./probes/probe-contexts.js";
import type { ProbedEdit } from "./probes/probe-edits.js";
import { textProbes } from "./probes/text-probes.js";
import { refuseUnsafe } from "./probes/unsafe-edits.js";
import { type EditSpread, editSpread } from "./solve/edit-spread.js";
import { withAdvice } from "./solve/lowered-lambda.js";
import type { Solution, SolvedGroup } from "./solve/solution.js";
import { solveAndProbe } from "./solve-and-probe.js";
import { isWordEdit, withWordUses } from "./words/words-in-text.js";

/** The text that the edits are fitted to, and how much of it; what they are held to where no text is. */
export interface SteerOptions extends StoreTextOptions {
  /** Text that the targets hold on. */
  corpus: Corpus;
  /** That text as it was stored by storeText, which is kept: the layers do not run again. Default: stored and freed. */
  contexts?: StoredContexts | undefined;
  /** Unseen text, a part of which probes begin with too. */
  unseen?: Corpus | undefined;
  /** Contexts that no text holds, to measure the edits in and to solve bans for, or about how many to make. Default: some 24,000. */
  probes?: Probes | number | undefined;
  /** The largest probability that a banned token may have, in any context. Default: 5e-4, and 4 / V where that is more. */
  bound?: number | undefined;
  /** Keep edits that make a token likely where it was to become rarer, with a warning. */
  allowUnsafe?: boolean | undefined;
  /** Of the contexts that are made. Default 0. */
  seed?: number | undefined;
}

/** Edits that were solved: what was reached on the fitting text, and the rows of E that do it. */
export interface Steered {
  /** As it was given, but with the methods and lambdas that were used. */
  plan: EditPlan;
  solution: Solution;
  /** What saveModel takes. */
  change: HeadChange;
  /** Contexts fitted on. */
  contexts: number;
  spread: EditSpread | undefined;
  /** What each edit does in the probes, in the order of the plan. */
  probed: readonly ProbedEdit[];
}

/**
 * Solves a plan for a model on a text (METHOD.md section 3): bans by rows that keep a bound in every context, all other edits
 * by the plan's method. All edits are probed in contexts that no text holds, and those by `nearest` are solved again with what
 * went wrong there.
 *
 *     const { change } = await steer(model, await planEdits(model, [" the=x0.5"]), { corpus: corpus("wiki/*.txt") });
 *     await saveModel(model, change, "less-the");
 *
 * @throws InputError if the text cannot be used, the targets contradict one another, or an edit is unsafe: it
 * makes tokens that are to become rarer likely in some context
 */
export async function steer(model: Model, plan: EditPlan, options: SteerOptions): Promise<Steered> {
  const { corpus, unseen, bound, signal, seed, allowUnsafe } = options;
  // Refused before the text is read.
  if (plan.exact) await finalNormOf(model);
  const store = options.store ?? memoryStore();
  const contexts = options.contexts ?? (await storeText(model, corpus, { ...options, store }));
  const guardStore = options.contexts ? store : roomBehind(store, contexts.count * contexts.hiddenSize);
  const given = typeof options.probes === "object" ? options.probes : undefined;
  const most = typeof options.probes === "number" ? options.probes : undefined;
  let probes = given;
  try {
    probes ??= await textProbes(model, { fit: corpus, unseen }, { most, seed, signal });
    const solve = await planSolver(model, plan, { contexts, probes, guardStore }, { bound, signal });
    const { solution, probed } = await solveAndProbe(model, plan, solve, probes, signal);
    const unsafe = refuseUnsafe(plan, probed, allowUnsafe);
    const advised = await withUses(model, plan, withAdvice(solution, startLambdas(plan)), contexts);
    return {
      plan: { ...plan, edits: plan.edits.map((edit, g) => ({ ...edit, ...foundBy(solution.groups[g]!) })) },
      solution: { ...advised, warnings: [...unsafe, ...advised.warnings] },
      change: { rows: solution.rows, ...(solution.bias ? { bias: solution.bias } : {}) },
      contexts: contexts.count,
      spread: await editSpread(model.head, solution.rows),
      probed,
    };
  } catch (error) {
    if (error instanceof RangeError) throw new InputError("edits", error.message);
    throw error;
  } finally {
    await guardStore.release();
    if (options.contexts === undefined) await contexts.release();
    if (given === undefined) await probes?.release();
  }
}

/** Of plans with words: what the fitting text says of them. */
async function withUses(model: Model, plan: EditPlan, solution: Solution, contexts: StoredContexts): Promise<Solution> {
  return plan.edits.some(isWordEdit) ? withWordUses(plan, solution, contexts, await model.tokenizer()) : solution;
}

function foundBy({ method, lambda }: SolvedGroup) {
  return lambda === undefined ? { method } : { method, lambda };
}
