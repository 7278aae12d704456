import type { CurvePoint } from "../../reduction/reduction-run.js";

/** What the figures are drawn from. */
export interface ReductionPageData {
  curve: readonly CurvePoint[];
  encoding: readonly { order: string; fraction: number; r2: number }[];
  chosen: { fraction: number; kl: number; top1: number; perplexity: number };
}

/** How an order and a compensation are called on the page. */
export function methodName(order: string, compensate: string): string {
  const names: Record<string, string> = {
    none: "nothing made up for",
    mean: "mean folded in",
    "least-squares": "least squares",
    refine: "refined",
  };
  if (order === "rotation") return compensate === "refine" ? "rotation, refined" : "rotation";
  return `${order}, ${names[compensate] ?? compensate}`;
}
