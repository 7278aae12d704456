import type { ReducedHead } from "../../model/head/reduced-head.js";
import type { Model } from "../../model/model.js";
import { encodingCurve } from "../../reduction/curves/encoding-curve.js";
import { greedyCurve } from "../../reduction/curves/greedy-curve.js";
import {
  type CurveMethod,
  curveFractions,
  reductionCurve,
  usualMethods,
  usualRescore,
} from "../../reduction/curves/reduction-curve.js";
import { refinedCurve } from "../../reduction/curves/refined-curve.js";
import { headOf } from "../../reduction/methods/head-of-expansion.js";
import type { Reductions } from "../../reduction/methods/prepare.js";
import { withBound } from "../../reduction/methods/preview-bound.js";
import { keptFor, type ReductionPlan } from "../../reduction/plan/reduction-plan.js";
import type { CurvePoint, EncodingPoint } from "../../reduction/reduction-run.js";
import { refineProgressOf } from "../run-progress.js";
import { methodOf, type ReduceOptions } from "./reduce-options.js";
import type { ReduceTexts } from "./reduce-texts.js";

/** Shares deleted, beside the one asked for, at which texts are written too. */
const textFractions = [0.3, 0.5, 0.7];

export interface FoundCurve {
  readonly points: readonly CurvePoint[];
  readonly encoding: readonly EncodingPoint[];
  /** Heads by the method asked for, at other sizes: to have texts written. */
  readonly others: readonly ReducedHead[];
}

/** What every share deleted loses, by every method, on the unseen text. */
export async function findCurve(
  model: Model,
  texts: ReduceTexts,
  reductions: Reductions,
  plan: ReductionPlan,
  options: ReduceOptions,
): Promise<FoundCurve> {
  const { signal, onEvent } = options;
  const progress = (phase: string) => (done: number, total: number) =>
    onEvent?.({ type: "progress", phase, done, total, unit: "points" });
  const { contexts } = texts.check;
  const methods = curveMethodsOf(model, reductions, options);
  const points = await reductionCurve(model, reductions, contexts, { methods, signal, onProgress: progress("curve") });
  const { compensate, rescore, greedyExact } = methodOf(options);
  const { others, refined } =
    compensate === "refine"
      ? await refinedPoints(model, texts, reductions, plan, options)
      : { others: await headsOfOtherSizes(model, reductions, options), refined: [] };
  const greedy: CurvePoint[] = [];
  if (greedyExact && rescore !== undefined) {
    const told = progress("greedy");
    for await (const point of greedyCurve(model, reductions, contexts, rescore, signal)) {
      told(greedy.push(point), curveFractions.length - 1);
    }
  }
  const encoding = await encodingCurve(model, reductions, texts.fit.contexts, reductions.orders, signal);
  return { points: [...points, ...refined, ...greedy], encoding, others };
}

/** Of two stages the rotation, and what was asked for where nothing has to be refined for it. */
function curveMethodsOf(model: Model, reductions: Reductions, options: ReduceOptions): CurveMethod[] {
  const { order, compensate, rescore, greedyExact } = methodOf(options);
  // With a bound m is a limit, and much larger.
  const m = greedyExact || rescore === undefined ? usualRescore(model.vocabSize) : rescore;
  const methods = usualMethods(reductions, m);
  const isMore = rescore !== undefined && order !== "rotation" && compensate !== "refine";
  return isMore ? [...methods, [order, compensate, rescore]] : methods;
}

/** Each share refined by itself: what it loses, and the heads of which texts are wanted. */
async function refinedPoints(
  model: Model,
  { fit, check }: ReduceTexts,
  reductions: Reductions,
  plan: ReductionPlan,
  options: ReduceOptions,
): Promise<{ others: readonly ReducedHead[]; refined: readonly CurvePoint[] }> {
  const { steps, compensate: _, ...method } = methodOf(options);
  const others: ReducedHead[] = [];
  const refined: CurvePoint[] = [];
  const curve = refinedCurve(
    model,
    reductions,
    { fit: fit.contexts, check: check.contexts },
    {
      ...{ ...method, signal: options.signal, refine: { steps } },
      // A plan that was given may have been made on another text.
      known: "plan" in options.amount ? undefined : plan,
      onRefine: (fraction, progress) =>
        refineProgressOf(options.onEvent, `refine ${Math.round(100 * fraction)}% deleted`)(progress),
    },
  );
  for await (const { point, reduced } of curve) {
    refined.push(point);
    if (textFractions.includes(point.fraction)) others.push(reduced);
  }
  return { others, refined };
}

async function headsOfOtherSizes(model: Model, reductions: Reductions, options: ReduceOptions): Promise<ReducedHead[]> {
  const { order, compensate, rescore, greedyExact } = methodOf(options);
  const heads: ReducedHead[] = [];
  for (const fraction of textFractions) {
    const kept = keptFor({ fraction }, model.hiddenSize);
    const head = { ...(await headOf(model, reductions.expansion(order, compensate, kept))), rescore };
    heads.push(greedyExact ? await withBound(model, head, reductions) : head);
  }
  return heads;
}
