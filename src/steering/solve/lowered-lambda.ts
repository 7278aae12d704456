import { tolerance } from "../plan/targets.js";
import type { Solution } from "./solution.js";

/** Values of lambda that are tried where a larger one keeps an edit from its target. */
const tried = [1e-5, 1e-6, 1e-7, 1e-8];

/** Share of the miss that a tenth of lambda may leave: bans of common tokens go down by half or more. */
const worthwhile = 0.75;

/**
 * The edits, each at the largest lambda that lets it reach its target: one that needs to be larger changes nothing for the
 * others. Below the default an edit grows, so that its lambda is lowered only while each step takes a good part of its miss away.
 * @param lambdas to begin with, one an edit
 */
export async function solveAtLoweredLambdas(
  solve: (lambdas: readonly number[]) => Promise<Solution>,
  lambdas: readonly number[],
): Promise<Solution> {
  let best = await solve(lambdas);
  let now = lambdas;
  let open = missing(best, lambdas.keys());
  while (open.length > 0) {
    const lower = now.map((lambda, g) => (open.includes(g) ? tried.find((value) => value < lambda) : lambda));
    open = open.filter((g) => lower[g] !== undefined);
    if (open.length === 0) break;
    const next = now.map((lambda, g) => lower[g] ?? lambda);
    const solution = await solve(next);
    const helped = open.filter((g) => missOf(solution, g) < worthwhile * missOf(best, g));
    if (helped.length === 0) break;
    // Of those that it did not help, lambda stays what it was.
    now = now.map((lambda, g) => (helped.includes(g) ? next[g]! : lambda));
    best = helped.length === open.length ? solution : await solve(now);
    open = missing(best, helped);
  }
  return best;
}

function missing(solution: Solution, groups: Iterable<number>): number[] {
  return [...groups].filter((g) => missOf(solution, g) > tolerance);
}

/** |ln(reached / wanted)|, before rounding: what that adds is no smaller at another lambda. */
function missOf({ groups }: Pick<Solution, "groups">, g: number): number {
  const { probability, rounding = 0 } = groups[g]!;
  return Math.abs(Math.log(probability.after / probability.wanted) - rounding);
}

/**
 * What to do about targets that were missed, beside why, and a warning where a lambda is lower than it was.
 * @param asked lambda of each edit at first
 */
export function withAdvice(solution: Solution, asked: readonly number[]): Solution {
  const { groups, warnings } = solution;
  const lowered = groups.flatMap(({ lambda }, g) => (lambda !== undefined && lambda < asked[g]! ? [lambda] : []));
  return {
    ...solution,
    groups: groups.map((group, g) => {
      // Of a ban with a bound nothing else would leave less.
      if (group.shortfall === undefined || group.bound !== undefined || !(missOf(solution, g) > tolerance))
        return group;
      const advice =
        group.method === "nearest"
          ? `more text, a size below ${group.lambda} or a weaker target may reach it`
          : "the method nearest, more text or a weaker target may reach it";
      return { ...group, shortfall: `${group.shortfall}; ${advice}` };
    }),
    warnings:
      lowered.length > 0
        ? [
            ...warnings,
            `lambda was lowered to ${Math.min(...lowered)} for ${lowered.length === 1 ? "an edit" : `${lowered.length} edits`} to reach a target: such an edit is larger for it, and on other text can do the opposite where it was fitted to little; look at the checks, or fit to more`,
          ]
        : warnings,
  };
}
