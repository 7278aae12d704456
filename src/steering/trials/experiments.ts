import { norm } from "../../linalg/dot.js";
import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import type { Method } from "../plan/method.js";
import type { Target } from "../plan/targets.js";
import type { Directions } from "../solve/direction.js";
import { solveAtLoweredLambdas } from "../solve/lowered-lambda.js";
import type { EditedTokens } from "../solve/problem/edited-tokens.js";
import type { Solution } from "../solve/solution.js";
import { type Subject, solveEdits } from "../solve/solve-edits.js";
import type { Trial, TrialEffect, TrialGroup } from "./trial.js";
import { effectOf, type TrialText, trialTokens } from "./trial-text.js";

/** A way of making an edit. */
export interface Variant extends Pick<Directions, "exact"> {
  readonly method: Method;
  readonly calibrate: boolean;
  readonly lambda: number;
  /** Take this lambda even where it keeps the edit from its target. */
  readonly fixedLambda?: boolean | undefined;
}

/** One trial to be made. */
export interface TrialJob {
  /** Place in the list of groups. */
  readonly group: number;
  readonly target: Target;
  readonly variant: Variant;
  /** Contexts to fit on, from the beginning of the fitting text. Default: all. */
  readonly contexts?: number | undefined;
}

/** What all trials share: the model, the texts, and the groups of tokens. */
export interface Laboratory extends Pick<Subject, "head" | "engine"> {
  /** So many contexts of the fitting text, all if undefined: the same object for the same number. */
  beginning(contexts: number | undefined): StoredContexts;
  /** The fitting text first, then those that are only looked at. */
  readonly texts: readonly [fit: TrialText, ...unseen: TrialText[]];
  readonly groups: readonly TrialGroup[];
  /** The guard of so many contexts of the fitting text, undefined where edits are to be made without. */
  guardOf(contexts: StoredContexts): Promise<StoredContexts | undefined>;
  /** A and the saliencies, fitted on so many contexts; k of `salient`. */
  directions(contexts: StoredContexts): Promise<Pick<Directions, "slopes" | "saliency" | "salient">>;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes each edit alone and computes what it does on every text; nothing is written.
 * @param onTrial called after each with how many are done
 */
export async function makeTrials(
  laboratory: Laboratory,
  jobs: readonly TrialJob[],
  onTrial: (done: number) => void = () => {},
): Promise<Trial[]> {
  const { texts, groups, signal } = laboratory;
  const made = new Map<TrialJob, Trial>();
  for (const [g, group] of groups.entries()) {
    const mine = jobs.filter((job) => job.group === g);
    if (mine.length === 0) continue;
    const ids = group.tokens.map(({ id }) => id);
    const prepared = await Promise.all(texts.map(async (text) => ({ text, tokens: await trialTokens(text, ids) })));
    for (const job of mine) {
      signal?.throwIfAborted();
      const { solution, lambda, contexts } = await solved(laboratory, ids, job);
      const changes = changesOf(solution, prepared[0]!.tokens);
      const { probability, idealBias, shortfall } = solution.groups[0]!;
      const effects: { [text: string]: TrialEffect } = {};
      for (const { text, tokens } of prepared) {
        effects[text.text] = await effectOf(text, tokens, { changes, idealBias }, laboratory.seed);
      }
      made.set(job, {
        ...{ group: g, target: job.target, method: solution.method, calibrated: job.variant.calibrate, lambda },
        exact: job.variant.exact !== undefined,
        wantedScale: probability.wanted / probability.before,
        contexts: contexts.count,
        norm: norm(changes),
        shortfall,
        effects,
      });
      onTrial(made.size);
    }
  }
  return jobs.map((job) => made.get(job)!);
}

async function solved(laboratory: Laboratory, ids: readonly number[], { variant, target, contexts: count }: TrialJob) {
  const { head, engine, signal } = laboratory;
  const { method, calibrate, lambda, fixedLambda, exact } = variant;
  const contexts = laboratory.beginning(count);
  const needsEncoding = method === "encoding" || method === "salient";
  const directions = needsEncoding ? await laboratory.directions(contexts) : {};
  const solve = (tried: readonly number[]) =>
    solveEdits({ head, engine, contexts }, [{ tokens: ids, target }], {
      ...directions,
      ...{ method, calibrate, exact, lambda: tried, signal, guardOf: () => laboratory.guardOf(contexts) },
    });
  const adjusts = method === "nearest" && calibrate && !fixedLambda;
  const solution = await (adjusts ? solveAtLoweredLambdas(solve, [lambda]) : solve([lambda]));
  return { solution, lambda: solution.groups[0]?.lambda ?? lambda, contexts };
}

/** The change that an edit makes to the rows of its tokens, [m, d]. */
function changesOf({ rows }: Solution, { ids, rows: original }: EditedTokens): Float64Array {
  const d = original.length / ids.length;
  const changes = new Float64Array(original.length);
  for (const [j, id] of ids.entries()) {
    const from = rows.ids.indexOf(id) * d;
    for (let i = 0; i < d; i++) changes[j * d + i] = rows.values[from + i]! - original[j * d + i]!;
  }
  return changes;
}

/** Contexts of the first windows, cut at a number of contexts; they are still the whole's to release. */
export function firstContexts(contexts: StoredContexts, count = contexts.count): StoredContexts {
  if (count >= contexts.count) return contexts;
  const starts = contexts.windowStarts.filter((start) => start < count);
  return {
    ...contexts,
    count,
    tokenIds: contexts.tokenIds.subarray(0, count),
    windowStarts: Int32Array.from([...starts, count]),
    release: async () => {},
  };
}
