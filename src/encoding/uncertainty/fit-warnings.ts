import { groupCount, type HeadStatistics } from "../../statistics/head-statistics.js";
import type { R2Uncertainty } from "../analysis.js";

/** The last step of the curve, a doubling of the text, may move R2 so far before it counts as moving. */
const settledStep = 0.005;

/** Below, -log alpha is still near the linear function of E that it is for a single context, whatever the model. */
const fewContexts = 1000;

/** What keeps a fit from saying something about the model, in plain words; none for a fit on enough text. */
export function fitWarnings({ contexts, groups }: HeadStatistics, { r2Interval, r2Curve }: R2Uncertainty): string[] {
  if (contexts === 1) {
    return [
      "1 context: -log alpha of one alone is linear in E whatever the model, so that R2 = 1 by construction, and says nothing",
    ];
  }
  const warnings: string[] = [];
  if (contexts < fewContexts) {
    const count = contexts.toLocaleString("en");
    warnings.push(
      `${count} contexts are few: of one alone -log alpha is linear in E whatever the model, and R2 = 1 by construction`,
    );
  }
  if (r2Interval === undefined) {
    const windows = groups.contexts.filter((count) => count > 0).length;
    warnings.push(
      windows < groupCount
        ? `how sure R2 is cannot be told from ${windows} ${windows === 1 ? "window" : "windows"} of text: that takes ${groupCount}`
        : "how sure R2 is cannot be told: a token has probability 0 in some of the windows",
    );
  }
  const [before, last] = r2Curve.slice(-2);
  if (before && last && Math.abs(last.r2 - before.r2) > settledStep) {
    const share = Math.round((100 * before.contexts) / last.contexts);
    warnings.push(
      `R2 still moves with the text: ${before.r2.toFixed(3)} on ${share}% of it, ${last.r2.toFixed(3)} on all; use more text`,
    );
  }
  return warnings;
}
