import type { Corpus } from "../corpus/corpus.js";
import { InputError } from "../errors.js";
import { type StoreTextOptions, storeText } from "../model/contexts/store-text.js";
import { memoryStore, roomBehind } from "../model/contexts/stored-contexts.js";
import type { HeadChange } from "../model/head/head-change.js";
import { readFinalNorm } from "../model/layers/constant-direction.js";
import type { Model } from "../model/model.js";
import { isGuarded } from "./plan/edit-plan.js";
import type { EditPlan } from "./plan/saved-plan.js";
import { type EditSpread, editSpread } from "./solve/edit-spread.js";
import { encodingOf } from "./solve/encoding-of.js";
import { solveAtLoweredLambda, withAdvice } from "./solve/lowered-lambda.js";
import { guardContexts } from "./solve/rows/guard-contexts.js";
import type { Solution } from "./solve/solution.js";
import { solveEdits } from "./solve/solve-edits.js";

/** The text that the edits are fitted to, and how much of it. */
export interface SteerOptions extends StoreTextOptions {
  /** Text that the targets hold on. */
  corpus: Corpus;
}

/** Edits that were solved: what was reached on the fitting text, and the rows of E that do it. */
export interface Steered {
  /** As it was given, but with the lambda that was used. */
  plan: EditPlan;
  solution: Solution;
  /** What saveModel takes. */
  change: HeadChange;
  /** Contexts fitted on. */
  contexts: number;
  spread: EditSpread | undefined;
}

/**
 * Solves a plan for a model on a text (METHOD.md section 3).
 *
 *     const { change } = await steer(model, await planEdits(model, [" the=x0.5"]), { corpus: corpus("wiki/*.txt") });
 *     await saveModel(model, change, "less-the");
 *
 * @throws InputError if the text cannot be used, or the targets contradict one another
 */
export async function steer(model: Model, plan: EditPlan, options: SteerOptions): Promise<Steered> {
  const { corpus, signal } = options;
  const exact = plan.exact ? { finalNorm: await finalNormOf(model) } : undefined;
  const store = options.store ?? memoryStore();
  const contexts = await storeText(model, corpus, { ...options, store });
  try {
    const { method, lambda, calibrate, salient } = plan;
    const behind = roomBehind(store, contexts.count * contexts.hiddenSize);
    let guard: ReturnType<typeof guardContexts> | undefined;
    const guardOf = isGuarded(plan)
      ? () => (guard ??= guardContexts(model, contexts, { store: behind, signal }))
      : undefined;
    const groups = plan.edits.map(({ tokens, target }) => ({ tokens: tokens.map(({ id }) => id), target }));
    const needsEncoding = method === "encoding" || method === "salient";
    const encoding = needsEncoding ? await encodingOf(model, contexts, signal) : {};
    const solve = (tried: number) =>
      solveEdits({ head: model.head, engine: model.engine, contexts }, groups, {
        ...encoding,
        ...{ method, lambda: tried, calibrate, exact, guardOf, signal },
        salient: method === "salient" ? (salient ?? model.hiddenSize) : undefined,
      });
    const adjusts = method === "nearest" && calibrate && !plan.fixedLambda;
    const found = adjusts ? await solveAtLoweredLambda(solve, lambda) : { solution: await solve(lambda), lambda };
    const solution = withAdvice(found.solution, found.lambda, lambda);
    return {
      plan: { ...plan, lambda: found.lambda },
      solution,
      change: { rows: solution.rows },
      contexts: contexts.count,
      spread: await editSpread(model.head, solution.rows),
    };
  } catch (error) {
    if (error instanceof RangeError) throw new InputError("edits", error.message);
    throw error;
  } finally {
    await contexts.release();
  }
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
