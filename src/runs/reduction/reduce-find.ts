import type { ReducedHead } from "../../model/head/reduced-head.js";
import type { Model } from "../../model/model.js";
import type { ContextRange } from "../../reduction/measure/measure-head.js";
import { type Order, orders } from "../../reduction/methods/orders.js";
import { prepareReductions, type Reductions } from "../../reduction/methods/prepare.js";
import { planWithin } from "../../reduction/plan/plan-within.js";
import { keptFor, planReduction, type ReductionPlan, reduceHead } from "../../reduction/plan/reduction-plan.js";
import { progressOf, refineProgressOf } from "../run-progress.js";
import { type FoundCurve, findCurve } from "./reduce-curve.js";
import { methodOf, type ReduceOptions } from "./reduce-options.js";
import type { ReduceTexts } from "./reduce-texts.js";

export interface FoundReduction {
  readonly plan: ReductionPlan;
  readonly reduced: ReducedHead;
  /** Contexts of the unseen text that a search for a budget left for its verification. */
  readonly verify?: ContextRange | undefined;
  readonly curve?: FoundCurve | undefined;
}

/** Finds what is to be deleted and what makes up for it, and, for a curve, what other sizes and methods would lose. */
export async function findReduction(model: Model, texts: ReduceTexts, options: ReduceOptions): Promise<FoundReduction> {
  const { amount, curve, signal, onEvent } = options;
  if ("plan" in amount && !curve) return { plan: amount.plan, reduced: reduceHead(model, amount.plan) };
  const { order, metric, seed } = methodOf(options);
  const { contexts } = texts.fit;
  const reductions = await prepareReductions(model, contexts, {
    ...{ orders: curve ? curveOrders(order) : [order], metric, seed, signal },
    onProgress: progressOf(onEvent, "reduce", "tokens", contexts.count),
    onGates: ({ step, steps }) => progressOf(onEvent, "gates", "steps", steps)(step),
  });
  const { plan, verify } = await chosenPlan(model, texts, reductions, options);
  const found = { plan, reduced: reduceHead(model, plan), verify };
  return curve ? { ...found, curve: await findCurve(model, texts, reductions, plan, options) } : found;
}

/** Gates take longer than all others together: they are trained where they are asked for. */
function curveOrders(asked: Order): Order[] {
  return orders.filter((order) => order !== "gates" || order === asked);
}

async function chosenPlan(
  model: Model,
  { fit, check }: ReduceTexts,
  reductions: Reductions,
  options: ReduceOptions,
): Promise<Pick<FoundReduction, "plan" | "verify">> {
  const { amount, signal, onEvent } = options;
  if ("plan" in amount) return { plan: amount.plan };
  const { steps, ...method } = methodOf(options);
  const choice = { ...method, signal, refine: { steps, onProgress: refineProgressOf(onEvent, "refine") } };
  if ("maxKl" in amount) {
    return planWithin(model, reductions, { fit: fit.contexts, check: check.contexts }, choice, amount.maxKl);
  }
  const kept = keptFor(amount, model.hiddenSize);
  return { plan: await planReduction(model, fit.contexts, { ...choice, kept }, reductions) };
}
