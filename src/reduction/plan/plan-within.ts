import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import type { HeadModel } from "../../model/head/head-model.js";
import type { ReducedHead } from "../../model/head/reduced-head.js";
import { spreadHead } from "../../model/head/spread-head.js";
import { type ContextRange, measureHead } from "../measure/measure-head.js";
import { measureHeads } from "../measure/measure-heads.js";
import { headOf } from "../methods/head-of-expansion.js";
import type { Reductions } from "../methods/prepare.js";
import { withBound } from "../methods/preview-bound.js";
import { largestWithin, searchHalves } from "./budget-search.js";
import {
  planReduction,
  type ReductionChoice,
  type ReductionPlan,
  reduceHead,
  usualCompensation,
} from "./reduction-plan.js";

/** The largest deletion that a budget allows. */
export interface PlanWithin {
  readonly plan: ReductionPlan;
  /** Contexts of the unseen text that the search did not see. */
  readonly verify: ContextRange;
}

/** Refinements that are tried: each takes as long as one alone. */
const refinements = 4;
/** Aimed at, of a budget that was just missed. */
const aim = 0.95;

/**
 * The plan that deletes most within a budget of mean KL, searched for on the first half of the unseen text. A refined head is
 * searched for by what it starts from: how much refinement saves is learnt from one try to the next.
 * @param reductions prepared for the order @throws InputError if deleting one dimension is over the budget
 */
export async function planWithin(
  model: HeadModel,
  reductions: Reductions,
  { fit, check }: { fit: StoredContexts; check: StoredContexts },
  choice: Omit<ReductionChoice, "kept">,
  maxKl: number,
): Promise<PlanWithin> {
  const { order = "rotation", rescore, greedyExact, signal } = choice;
  const { compensate = usualCompensation(rescore, greedyExact) } = choice;
  const { head, engine, hiddenSize: d } = model;
  const { search, verify } = searchHalves(check);
  const start = compensate === "refine" ? "least-squares" : compensate;
  const known = new Map<number, number>();
  const subject = { head, engine };
  const klsOf = async (heads: readonly ReducedHead[]): Promise<number[]> => {
    const options = { range: search, signal };
    if (!greedyExact) return (await measureHeads(model, heads, check, options)).map(({ kl }) => kl);
    const kls: number[] = [];
    for (const one of heads) {
      const { kl } = await measureHead(model, await spreadHead(subject, one), check, options);
      kls.push(kl.mean);
    }
    return kls;
  };
  const losses = async (sizes: readonly number[]) => {
    const fresh = sizes.filter((size) => !known.has(size));
    const heads: ReducedHead[] = [];
    for (const deleted of fresh) {
      const reduced = { ...(await headOf(subject, reductions.expansion(order, start, d - deleted))), rescore };
      heads.push(greedyExact ? await withBound(subject, reduced, reductions) : reduced);
    }
    const measured = fresh.length === 0 ? [] : await klsOf(heads);
    for (const [i, deleted] of fresh.entries()) known.set(deleted, measured[i]!);
    return sizes.map((deleted) => known.get(deleted)!);
  };
  const planned = (deleted: number) => planReduction(model, fit, { ...choice, kept: d - deleted }, reductions);
  const klOf = async (plan: ReductionPlan) => (await klsOf([reduceHead(model, plan)]))[0]!;
  // Refinement only takes away from the loss: what it starts from is within the budget.
  let best = await planned(await largestWithin(d, maxKl, losses));
  let last = best;
  for (let tries = 1; compensate === "refine" && tries < refinements; tries++) {
    const kl = await klOf(last);
    if (kl <= maxKl) best = last;
    const [started] = await losses([last.deleted]);
    const next = await largestWithin(d, (aim * maxKl * started!) / kl, losses);
    if (next <= best.deleted || next === last.deleted) break;
    last = await planned(next);
  }
  if (last !== best && (await klOf(last)) <= maxKl) best = last;
  return { plan: best, verify };
}
