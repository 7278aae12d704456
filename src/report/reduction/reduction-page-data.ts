import type { Compensation, Order } from "../../reduction/methods/orders.js";
import type { CurvePoint, EncodingPoint } from "../../reduction/reduction-run.js";

/** What the figures are drawn from. */
export interface ReductionPageData {
  curve: readonly CurvePoint[];
  encoding: readonly EncodingPoint[];
  /** V d: what the original's head multiplies for a token. */
  multiplications: number;
  chosen: { multiplications: number; kl: number; top1: number; perplexity: number };
}

/** One way to reduce, at all sizes. */
export type CurveMethodName = Pick<CurvePoint, "order" | "compensate" | "rescore"> & { readonly greedyExact?: unknown };

/** Names of the compensations on the page. */
export const compensationNames: Record<Compensation, string> = {
  none: "nothing made up for",
  mean: "mean folded in",
  "least-squares": "least squares",
  refine: "refined",
};

/** How a method of a curve is called on the page. */
export function curveName({ order, compensate, rescore, greedyExact }: CurveMethodName): string {
  const name = methodName(order, compensate);
  if (rescore === undefined) return name;
  return `${name}, ${greedyExact ? "greedy exact" : `${rescore} rescored`}`;
}

/** How an order and a compensation are called on the page. */
export function methodName(order: Order, compensate: Compensation): string {
  if (order === "rotation") return compensate === "refine" ? "rotation, refined" : "rotation";
  return `${order}, ${compensationNames[compensate]}`;
}
