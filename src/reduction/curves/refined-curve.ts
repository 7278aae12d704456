import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import type { HeadModel } from "../../model/head/head-model.js";
import type { ReducedHead } from "../../model/head/reduced-head.js";
import { measureHeads } from "../measure/measure-heads.js";
import { headMultiplications } from "../measure/multiplications.js";
import type { Reductions } from "../methods/prepare.js";
import type { RefineProgress } from "../methods/refine.js";
import {
  keptFor,
  planReduction,
  type ReductionChoice,
  type ReductionPlan,
  reduceHead,
} from "../plan/reduction-plan.js";
import type { CurvePoint } from "../reduction-run.js";
import { curveFractions } from "./reduction-curve.js";

/** A refined reduction and what it loses. */
export interface RefinedPoint {
  readonly point: CurvePoint;
  readonly reduced: ReducedHead;
}

/** How each point is refined. */
export interface RefinedCurveOptions extends Omit<ReductionChoice, "kept" | "compensate"> {
  /** Refined already, in the same way: not refined again. */
  readonly known?: ReductionPlan | undefined;
  /** Told of each share how far its refinement is. */
  readonly onRefine?: ((fraction: number, progress: RefineProgress) => void) | undefined;
}

/**
 * What a refined reduction loses at every share deleted, on a text that nothing was fitted to. Each point is a refinement
 * of its own; where nothing is deleted there is nothing to refine, and two stages that multiply by more than the head are left out.
 * @param reductions prepared for the order
 * @throws InputError if logits are not finite; RangeError if the order was not prepared; the signal's reason when it is aborted
 */
export async function* refinedCurve(
  model: HeadModel,
  reductions: Reductions,
  { fit, check }: { fit: StoredContexts; check: StoredContexts },
  { known, onRefine, ...choice }: RefinedCurveOptions,
): AsyncGenerator<RefinedPoint> {
  const { hiddenSize: d } = model;
  const { order = "rotation", rescore, signal } = choice;
  for (const fraction of curveFractions) {
    const kept = keptFor({ fraction }, d);
    const work = headMultiplications(model.head, { kept, directions: order === "rotation", rows: rescore });
    if (rescore !== undefined && work.after >= work.before) continue;
    const compensate = kept === d ? "least-squares" : "refine";
    const refine = { ...choice.refine, onProgress: (progress: RefineProgress) => onRefine?.(fraction, progress) };
    const plan =
      known?.kept === kept
        ? known
        : await planReduction(model, fit, { ...choice, refine, kept, compensate }, reductions);
    const reduced = reduceHead(model, plan);
    const [measures] = await measureHeads(model, [reduced], check, { signal });
    const method = { order, compensate: "refine", ...(rescore === undefined ? {} : { rescore }) } as const;
    const multiplications = headMultiplications(model.head, {
      ...{ kept: reduced.kept, directions: order === "rotation", rows: rescore },
    }).after;
    yield { point: { ...method, fraction, deleted: d - kept, multiplications, ...measures! }, reduced };
  }
}
