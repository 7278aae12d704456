import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import type { HeadModel } from "../../model/head/head-model.js";
import { spreadHead } from "../../model/head/spread-head.js";
import { greedyCost } from "../measure/greedy-cost.js";
import { measureHead } from "../measure/measure-head.js";
import { headMultiplications } from "../measure/multiplications.js";
import { headOf } from "../methods/head-of-expansion.js";
import type { Reductions } from "../methods/prepare.js";
import { withBound } from "../methods/preview-bound.js";
import { keptFor } from "../plan/reduction-plan.js";
import type { CurvePoint } from "../reduction-run.js";
import { curveFractions } from "./reduction-curve.js";

/**
 * What two stages lose and take that keep the likeliest token what it is, at every share deleted but none.
 * @param reductions prepared for the rotation @param rescore m
 * @throws InputError if logits are not finite; the signal's reason when it is aborted
 */
export async function* greedyCurve(
  model: HeadModel,
  reductions: Reductions,
  check: StoredContexts,
  rescore: number,
  signal?: AbortSignal | undefined,
): AsyncGenerator<CurvePoint> {
  const { hiddenSize: d } = model;
  for (const fraction of curveFractions) {
    const size = keptFor({ fraction }, d);
    if (size === d) continue;
    const expansion = reductions.expansion("rotation", "least-squares", size);
    const reduced = await withBound(model, { ...(await headOf(model, expansion)), rescore }, reductions);
    const head = await spreadHead(model, reduced);
    const { kl, js, top1, perplexity } = await measureHead(model, head, check, { signal });
    const greedyExact = await greedyCost(model, head, check, signal);
    const { kept } = reduced;
    const work = { kept, directions: true, rows: greedyExact?.rows, bounded: true };
    yield {
      ...{ order: "rotation", compensate: "least-squares", rescore, greedyExact, fraction, deleted: d - size },
      multiplications: headMultiplications(model.head, work).after,
      ...{ kl: kl.mean, js: js.mean, jsPercentile95: js.percentile95, top1, perplexity: perplexity.after },
    };
  }
}
