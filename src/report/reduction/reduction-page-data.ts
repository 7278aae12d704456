import type { Compensation, Order } from "../../reduction/methods/orders.js";
import type { CurvePoint, EncodingPoint } from "../../reduction/reduction-run.js";

/** What the figures are drawn from. */
export interface ReductionPageData {
  curve: readonly CurvePoint[];
  encoding: readonly EncodingPoint[];
  chosen: { fraction: number; kl: number; top1: number; perplexity: number };
}

/** Names of the compensations on the page. */
export const compensationNames: Record<Compensation, string> = {
  none: "nothing made up for",
  mean: "mean folded in",
  "least-squares": "least squares",
  refine: "refined",
};

/** How an order and a compensation are called on the page. */
export function methodName(order: Order, compensate: Compensation): string {
  if (order === "rotation") return compensate === "refine" ? "rotation, refined" : "rotation";
  return `${order}, ${compensationNames[compensate]}`;
}
