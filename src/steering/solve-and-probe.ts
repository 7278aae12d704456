import { someContexts } from "../model/contexts/stored-contexts.js";
import { changedHead } from "../model/head/changed-head.js";
import type { Head } from "../model/head/head.js";
import { optionalTokenizer } from "../model/head/head-model.js";
import type { Model } from "../model/model.js";
import { isMet } from "./how-it-holds.js";
import type { EditPlan } from "./plan/saved-plan.js";
import { isInContext } from "./plan/word-edits.js";
import { groupsOf, type PlanSolver } from "./plan-solver.js";
import type { Probes } from "./probes/probe-contexts.js";
import { type ProbedEdit, probeEdits } from "./probes/probe-edits.js";
import type { WeighedContexts } from "./solve/rows/nearest-edits.js";
import type { Solution } from "./solve/solution.js";

/** How often edits are solved again with the probes that went wrong in their fit. */
const mostRounds = 4;
/** Of an edit's that went wrong, how many join its fit at once. */
const mostWrong = 2048;
/**
 * How much one that went wrong counts, in contexts of the text, and by how much more each time that it goes wrong again: little
 * enough has to be left of a token there that a mean over the text would not notice it.
 */
const firstWeight = 10;
const growth = 10;

/**
 * Solves a plan, probes what came of it, and solves the edits that went wrong again with those contexts in their fit, until
 * none does or the rounds are used up.
 * @returns what is safe; of what is not, what reaches most of its targets, and then what went wrong least often
 */
export async function solveAndProbe(
  model: Model,
  plan: EditPlan,
  solve: PlanSolver,
  probes: Probes,
  signal?: AbortSignal | undefined,
): Promise<{ solution: Solution; probed: ProbedEdit[] }> {
  const weights = plan.edits.map(() => new Map<number, number>());
  let last = await probedSolution(await solve(undefined));
  let best = last;
  for (let round = 0; round < mostRounds && isMendable(last); round++) {
    for (const [g, { unsafe }] of last.probed.entries()) {
      for (const index of spread([...unsafe], mostWrong)) {
        const before = weights[g]!.get(index);
        weights[g]!.set(index, before === undefined ? firstWeight : growth * before);
      }
    }
    last = await probedSolution(await solve(contextsToMend(probes, weights)));
    if (rank(last) < rank(best)) best = last;
  }
  return best;

  async function probedSolution(solution: Solution) {
    const edited = changedHead(model.head, { rows: solution.rows, ...(solution.bias ? { bias: solution.bias } : {}) });
    return { solution, probed: await probePlan(model, plan, edited, solution, probes, signal) };
  }
}

/** Whether something went wrong that another fit can mend. */
const isMendable = ({ solution: { groups }, probed }: { solution: Solution; probed: readonly ProbedEdit[] }) =>
  probed.some(({ unsafe }, g) => unsafe.length > 0 && groups[g]!.method === "nearest");

/** @param weights of each edit, by the probe's index */
function contextsToMend(probes: Probes, weights: readonly ReadonlyMap<number, number>[]): WeighedContexts {
  const places = [...new Set(weights.flatMap((own) => [...own.keys()]))].sort((a, b) => a - b);
  return {
    contexts: someContexts(probes, places),
    weights: weights.map((own) =>
      own.size > 0 ? Float64Array.from(places, (index) => own.get(index) ?? 0) : undefined,
    ),
  };
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
    return {
      tokens,
      rarer: probability.wanted < probability.before,
      inFew: isInContext(plan.edits[g]!),
      bound: bound?.probability,
    };
  });
  const heads = { original: model.head, edited, engine: model.engine };
  const textOf = (ids: readonly number[]) => tokenizer?.decode(ids) ?? ids.map((id) => `#${id}`).join(" ");
  return probeEdits(heads, probed, probes, { textOf, signal });
}

/** Which solution is kept: the one of the lowest rank. */
function rank({ solution: { groups }, probed }: { solution: Solution; probed: readonly ProbedEdit[] }): number {
  const unsafe = probed.reduce((sum, one) => sum + one.unsafe.length, 0);
  if (unsafe === 0) return 0;
  const missed = groups.filter((group) => !isMet(group)).length;
  return 1 + missed + unsafe / (unsafe + 1);
}

/** At most so many of a list, evenly spread. */
function spread(list: readonly number[], most: number): readonly number[] {
  if (list.length <= most) return list;
  return Array.from({ length: most }, (_, i) => list[Math.floor((i * list.length) / most)]!);
}
