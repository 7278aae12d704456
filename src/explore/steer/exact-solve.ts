import { changedHead } from "../../model/head/changed-head.js";
import type { HeadChange } from "../../model/head/head-change.js";
import { readHeadRows } from "../../model/head/head-rows.js";
import type { Model } from "../../model/model.js";
import { checkEdit } from "../../steering/check/check.js";
import type { EditPlan } from "../../steering/plan/saved-plan.js";
import { isInContext } from "../../steering/plan/word-edits.js";
import type { Probes } from "../../steering/probes/probe-contexts.js";
import type { Solution } from "../../steering/solve/solution.js";
import { steer } from "../../steering/steer.js";
import type { SolvedFigure } from "../figures.js";
import type { ReadText } from "../read/read-text.js";
import type { ChosenEdit, SolvedEdit } from "../state.js";
import { groupsOfEdits } from "./chosen-edits.js";

/** What the library's own solve found of all edits at once. */
export interface ExactSolve {
  /** With the methods and lambdas that were used. */
  readonly plan: EditPlan;
  readonly solution: Solution;
  readonly change: HeadChange;
  readonly edits: readonly (SolvedEdit | null)[];
  readonly figure: SolvedFigure;
}

/** `steer` on a text that has been read, and what its edits do there: the command's own numbers. @throws InputError as steer */
export async function solveExactly(
  model: Model,
  { contexts, corpus }: ReadText,
  probes: Probes,
  plan: EditPlan,
  chosen: readonly ChosenEdit[],
  signal: AbortSignal,
): Promise<ExactSolve> {
  const steered = await steer(model, plan, { ...{ corpus, contexts, probes, signal }, allowUnsafe: true });
  const { solution, change } = steered;
  const head = changedHead(model.head, change);
  const groups = solution.groups.map(({ tokens, idealBias }, g) => ({
    tokens,
    idealBias: isInContext(plan.edits[g]!) ? 0 : idealBias,
  }));
  const check = await checkEdit(
    { original: model, edited: { head, name: `${model.name}, edited` }, groups },
    { fit: contexts },
    { signal },
  );
  const { collateral } = check.fit!;
  const own = await readHeadRows(model.head, [...solution.rows.ids]);
  return {
    ...{ plan: steered.plan, solution, change },
    edits: solvedEdits(solution, groupsOfEdits(plan, chosen), own.rows, model.hiddenSize),
    figure: {
      name: "solved",
      kl: collateral.kl.mean,
      js: collateral.js.mean,
      top1: collateral.top1,
      perplexity: collateral.perplexity,
      size: distance(solution.rows.values, own.rows),
      moved: collateral.movers.map(({ id, token, a, b }) => ({ id, text: token, before: a, after: b })),
      warnings: [...solution.warnings, ...solution.groups.flatMap(({ shortfall }) => shortfall ?? [])],
    },
  };
}

function solvedEdits(
  { groups, rows }: Solution,
  ofEdits: readonly number[][],
  own: Float64Array,
  d: number,
): (SolvedEdit | null)[] {
  const place = new Map(Array.from(rows.ids, (id, j) => [id, j]));
  const normOf = (id: number) => {
    const at = (place.get(id) ?? 0) * d;
    return Math.hypot(...own.subarray(at, at + d));
  };
  return ofEdits.map((places) => {
    const first = groups[places[0] ?? -1];
    if (first === undefined) return null;
    const all = places.map((g) => groups[g]!);
    const size = Math.hypot(...all.flatMap(({ norms }) => norms));
    return {
      wanted: first.probability.wanted,
      after: first.probability.after,
      size,
      relativeSize: size / Math.hypot(...all.flatMap(({ tokens }) => tokens.map(normOf))),
      shortfall: all.find(({ shortfall }) => shortfall !== undefined)?.shortfall ?? null,
      bound: first.bound?.probability ?? null,
    };
  });
}

function distance(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum);
}
