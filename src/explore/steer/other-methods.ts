import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import type { Model } from "../../model/model.js";
import { methods } from "../../steering/plan/method.js";
import type { EditPlan } from "../../steering/plan/saved-plan.js";
import { isInContext } from "../../steering/plan/word-edits.js";
import { groupsOf } from "../../steering/plan-solver.js";
import { solveEdits } from "../../steering/solve/solve-edits.js";
import type { MethodsFigure } from "../figures.js";
import type { ReadText } from "../read/read-text.js";

type Row = MethodsFigure["methods"][number];

/** The same edits by each method, and by the true logit bias that they are held against. @param onMethod told of each */
export async function compareMethods(
  { head, engine, hiddenSize }: Model,
  { contexts, analysis }: ReadText,
  plan: EditPlan,
  signal: AbortSignal,
  onMethod: (rows: readonly Row[]) => void,
): Promise<void> {
  const groups = groupsOf({ edits: plan.edits.filter((edit) => !isInContext(edit)) });
  const subject: { head: Model["head"]; engine: Model["engine"]; contexts: StoredContexts } = {
    head,
    engine,
    contexts,
  };
  const { encoding, sparsity } = analysis;
  const rows: Row[] = [];
  for (const method of methods) {
    signal.throwIfAborted();
    try {
      const { groups: solved } = await solveEdits(subject, groups, {
        ...{ method, signal, lambda: plan.lambda, slopes: encoding.slopes, saliency: sparsity.saliency },
        salient: method === "salient" ? hiddenSize : undefined,
      });
      if (rows.length === 0) {
        const kl = solved.reduce((sum, { klOfIdeal }) => sum + klOfIdeal, 0);
        rows.push({ method: "ideal", reached: solved.map(() => 1), size: null, kl, problem: null });
      }
      rows.push({
        method,
        reached: solved.map(({ probability }) => probability.after / probability.wanted),
        size: Math.hypot(...solved.flatMap(({ norms }) => norms)),
        kl: solved.reduce((sum, { klToIdeal }) => sum + klToIdeal, 0),
        problem: null,
      });
    } catch (error) {
      if (signal.aborted || !(error instanceof RangeError)) throw error;
      rows.push({ method, reached: [], size: null, kl: null, problem: error.message });
    }
    onMethod([...rows]);
  }
}
