import { someContexts } from "../model/contexts/stored-contexts.js";
import { changedHead } from "../model/head/changed-head.js";
import type { Head } from "../model/head/head.js";
import { optionalTokenizer } from "../model/head/head-model.js";
import type { Model } from "../model/model.js";
import type { EditPlan } from "./plan/saved-plan.js";
import { groupsOf, type PlanSolver } from "./plan-solver.js";
import type { Probes } from "./probes/probe-contexts.js";
import { type ProbedEdit, probeEdits } from "./probes/probe-edits.js";
import type { Solution } from "./solve/solution.js";

/** How often edits are solved again with the probes that went wrong in their fit. */
const mostRounds = 3;
/** Of those that went wrong, how many join the fit at once. */
const mostWrong = 2048;

/**
 * Solves a plan, probes what came of it, and solves it again with what went wrong, until nothing does or it helps no more.
 * Without probes it is solved and that is all.
 */
export async function solveAndProbe(
  model: Model,
  plan: EditPlan,
  solve: PlanSolver,
  probes: Probes | undefined,
  signal?: AbortSignal | undefined,
): Promise<{ solution: Solution; probed: ProbedEdit[] | undefined }> {
  if (probes === undefined) return { solution: await solve(undefined), probed: undefined };
  const inProbes = probes;
  const wrong = new Set<number>();
  let best = await probedSolution(await solve(undefined));
  for (let round = 0; round < mostRounds && plan.method === "nearest"; round++) {
    const fresh = best.probed.flatMap(({ unsafe }) => [...unsafe]).filter((index) => !wrong.has(index));
    if (fresh.length === 0) break;
    for (const index of spread(fresh, mostWrong)) wrong.add(index);
    const alsoRight = someContexts(
      inProbes,
      [...wrong].sort((a, b) => a - b),
    );
    const next = await probedSolution(await solve(alsoRight));
    if (unsafeCount(next.probed) >= unsafeCount(best.probed)) break;
    best = next;
  }
  return best;

  async function probedSolution(solution: Solution) {
    const edited = changedHead(model.head, { rows: solution.rows, ...(solution.bias ? { bias: solution.bias } : {}) });
    return { solution, probed: await probePlan(model, plan, edited, solution, inProbes, signal) };
  }
}

/** What a head with a plan's edits does in probes, in the order of the plan. */
export async function probePlan(
  model: Model,
  plan: EditPlan,
  edited: Head,
  { groups }: Pick<Solution, "groups">,
  probes: Probes,
  signal?: AbortSignal | undefined,
): Promise<ProbedEdit[]> {
  const tokenizer = await optionalTokenizer(model);
  const probed = groupsOf(plan).map(({ tokens }, g) => {
    const { probability, bound } = groups[g]!;
    return { tokens, rarer: probability.wanted < probability.before, bound: bound?.probability };
  });
  const heads = { original: model.head, edited, engine: model.engine };
  const textOf = (ids: readonly number[]) => tokenizer?.decode(ids) ?? ids.map((id) => `#${id}`).join(" ");
  return probeEdits(heads, probed, probes, { textOf, signal });
}

const unsafeCount = (probed: readonly ProbedEdit[]) => probed.reduce((sum, { unsafe }) => sum + unsafe.length, 0);

/** At most so many of a list, evenly spread. */
function spread(list: readonly number[], most: number): readonly number[] {
  if (list.length <= most) return list;
  return Array.from({ length: most }, (_, i) => list[Math.floor((i * list.length) / most)]!);
}
