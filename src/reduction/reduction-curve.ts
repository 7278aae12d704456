import type { HeadModel } from "../model/head-model.js";
import type { StoredContexts } from "../model/stored-contexts.js";
import { type MeanMeasures, measureHeads } from "./measure-heads.js";
import type { Compensation, Order, ReducedHead } from "./orders.js";
import type { Reductions } from "./prepare.js";
import { headOf } from "./reduced-head.js";
import type { CurvePoint } from "./reduction-run.js";

/** 0, 5, 10, ... 95% deleted. */
export const curveFractions = Array.from({ length: 20 }, (_, step) => step / 20);

/** Every order of coordinates with what makes up for them without optimisation, and directions. */
export const curveMethods: readonly (readonly [Order, Compensation])[] = [
  ...(["saliency", "slope", "variance", "random"] as const).flatMap((order) =>
    (["none", "mean", "least-squares"] as const).map((compensation) => [order, compensation] as const),
  ),
  ["rotation", "least-squares"],
];

/** Bytes of heads held and measured at once: an F as float32 and in the digits that it is stored in. */
const maxHeadBytes = 1.5e9;

export interface CurveOptions {
  readonly methods?: typeof curveMethods;
  readonly signal?: AbortSignal | undefined;
  /** Points measured so far. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * What is lost at every share deleted, by every method, on a text that nothing was fitted to.
 * @param reductions prepared for the methods' orders
 */
export async function reductionCurve(
  model: HeadModel,
  reductions: Reductions,
  check: StoredContexts,
  { methods = curveMethods, signal, onProgress }: CurveOptions = {},
): Promise<CurvePoint[]> {
  const { head, engine, hiddenSize: d } = model;
  const points: CurvePoint[] = [];
  const total = methods.length * curveFractions.length;
  for (const [order, compensate] of methods) {
    const left = curveFractions.map((fraction) => ({ fraction, kept: Math.max(1, d - Math.round(fraction * d)) }));
    while (left.length > 0) {
      const group = left.splice(0, groupSize(left, head.vocabSize));
      const heads: ReducedHead[] = [];
      for (const { kept } of group) {
        signal?.throwIfAborted();
        const expansion = reductions.expansion(order, compensate, kept);
        heads.push(await headOf({ head, engine }, expansion, order, compensate));
      }
      const measured: MeanMeasures[] = await measureHeads(model, heads, check, { signal });
      for (const [at, { fraction, kept }] of group.entries()) {
        points.push({ order, compensate, fraction, deleted: d - kept, ...measured[at]! });
      }
      onProgress?.(points.length, total);
    }
  }
  return points;
}

function groupSize(points: readonly { kept: number }[], vocabSize: number): number {
  let bytes = 0;
  const fitting = points.findIndex(({ kept }) => {
    bytes += 8 * vocabSize * kept;
    return bytes > maxHeadBytes;
  });
  return fitting < 0 ? points.length : Math.max(1, fitting);
}
