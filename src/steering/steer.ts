import type { Corpus } from "../corpus/corpus.js";
import { tokenIds } from "../corpus/token-ids.js";
import { windows } from "../corpus/windows.js";
import { InputError } from "../errors.js";
import { readFinalNorm } from "../model/constant-direction.js";
import { contextLengthFor } from "../model/context.js";
import type { HeadChange } from "../model/head-change.js";
import type { Model } from "../model/model.js";
import { memoryStore, type RowStore, type StoredContexts, storeContexts } from "../model/stored-contexts.js";
import type { EditPlan } from "./edit-plan.js";
import { type EditSpread, editSpread } from "./edit-spread.js";
import { encodingOf } from "./encoding-of.js";
import { solveAtLoweredSize, withAdvice } from "./lowered-size.js";
import type { Solution } from "./solution.js";
import { solveEdits } from "./solve-edits.js";

export interface SteerOptions {
  /** Text that the targets hold on. */
  corpus: Corpus;
  tokens?: number | undefined;
  contextLength?: number | undefined;
  /** Id put between documents, null for none. Default: end-of-text between those of one file. */
  separator?: number | null | undefined;
  /** Where the hidden states are kept. Default: memory. */
  store?: RowStore | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((contexts: number) => void) | undefined;
}

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
  const { corpus, signal, store = memoryStore() } = options;
  const exact = plan.exact ? { finalNorm: await finalNormOf(model) } : undefined;
  const contexts = await storeText(model, corpus, options, store);
  try {
    const { method, size, calibrate, salient } = plan;
    const groups = plan.edits.map(({ tokens, target }) => ({ tokens: tokens.map(({ id }) => id), target }));
    const needsEncoding = method === "encoding" || method === "salient";
    const encoding = needsEncoding ? await encodingOf(model, contexts, signal) : {};
    const solve = (lambda: number) =>
      solveEdits({ head: model.head, engine: model.engine, contexts }, groups, {
        ...encoding,
        ...{ method, size: lambda, calibrate, exact, signal },
        salient: method === "salient" ? (salient ?? model.hiddenSize) : undefined,
      });
    const adjusts = method === "nearest" && calibrate && !plan.fixedSize;
    const found = adjusts ? await solveAtLoweredSize(solve, size) : { solution: await solve(size), size };
    const solution = withAdvice(found.solution, found.size, size);
    return {
      plan: { ...plan, size: found.size },
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

/** Runs a text through the layers once and keeps what the head multiplies. @throws InputError if it cannot be used */
export async function storeText(
  model: Model,
  corpus: Corpus,
  options: Pick<SteerOptions, "tokens" | "contextLength" | "separator" | "signal" | "onProgress">,
  store: RowStore,
): Promise<StoredContexts> {
  const contextLength = contextLengthFor([model], options.contextLength);
  const { vocabSize } = model;
  const ids = tokenIds(corpus, await model.tokenizer(), { vocabSize, separator: options.separator });
  return storeContexts(model, windows(ids, { contextLength, maxTokens: options.tokens }), store, options);
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
