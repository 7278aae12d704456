import { permutation, seededRandom } from "../../linalg/random.js";
import type { Order } from "./orders.js";
import type { HiddenMoments } from "./output-moments.js";

/** Orders that delete coordinates one after the other by a number of each, or at random. */
export type CoordinateOrder = Exclude<Order, "rotation" | "gates">;

/** Numbers by which dimensions are ordered. */
export interface DimensionValues {
  /** A_i, [d]. */
  readonly slopes: Float64Array;
  /** |A_i| std_w(E_wi), [d]. */
  readonly saliency: Float64Array;
  readonly moments: HiddenMoments;
}

/**
 * Dimensions from the first to be deleted to the last (METHOD.md section 4): ascending saliency, |slope|, or the logit
 * variance std_w(E_wi) rms_t(h_i); or at random. @returns [d]
 */
export function deletionOrder(order: CoordinateOrder, values: DimensionValues, seed: number): Int32Array {
  const d = values.slopes.length;
  if (order === "random") return permutation(d, seededRandom(seed));
  const { slopes, saliency, moments } = values;
  const importance = {
    saliency: () => saliency,
    slope: () => slopes.map(Math.abs),
    variance: () =>
      saliency.map((value, i) => {
        // Where a slope is 0, the saliency does not tell the spread of E.
        const spread = slopes[i] === 0 ? 0 : value / Math.abs(slopes[i]!);
        return spread * Math.sqrt(moments.covariance[i * d + i]! + moments.mean[i]! ** 2);
      }),
  }[order]();
  return Int32Array.from(Array.from(importance.keys()).sort((a, b) => importance[a]! - importance[b]! || a - b));
}
