import type { Solution } from "./solution.js";

/** Values of lambda that are tried where a larger one keeps an edit from its target. */
const lambdas = [1e-5, 1e-6, 1e-7, 1e-8];

/** Miss of the logarithm of a mean probability that no rounding to a number type explains. */
const farOff = 1e-3;

/** Share of the miss that a tenth of lambda may leave: bans of common tokens go down by half or more. */
const worthwhile = 0.75;

/**
 * The edits at the largest lambda that lets them reach their targets. A ban of a common token asks for more than the default
 * lambda lets an edit be; below it, the edits grow, so that it is lowered only while each step takes a good part of the largest miss away.
 */
export async function solveAtLoweredLambda(
  solve: (lambda: number) => Promise<Solution>,
  lambda: number,
): Promise<{ solution: Solution; lambda: number }> {
  let best = { solution: await solve(lambda), lambda };
  for (const lower of lambdas.filter((value) => value < lambda)) {
    const miss = largestMiss(best.solution);
    if (!(miss > farOff)) break;
    const solution = await solve(lower);
    if (!(largestMiss(solution) < worthwhile * miss)) break;
    best = { solution, lambda: lower };
  }
  return best;
}

/** |ln(reached / wanted)| of the group that is farthest off. */
function largestMiss({ groups }: Pick<Solution, "groups">): number {
  return Math.max(...groups.map(({ probability: { after, wanted } }) => Math.abs(Math.log(after / wanted))));
}

/**
 * What to do about targets that were missed, beside why, and a warning where lambda is lower than it was.
 * @param asked lambda at first
 */
export function withAdvice(solution: Solution, lambda: number, asked: number): Solution {
  const { method, groups, warnings } = solution;
  const advice =
    method === "nearest"
      ? `more text, a size below ${lambda} or a weaker target may reach it`
      : "the method nearest, more text or a weaker target may reach it";
  return {
    ...solution,
    groups: groups.map((group) => {
      if (group.shortfall === undefined || !(largestMiss({ groups: [group] }) > farOff)) return group;
      return { ...group, shortfall: `${group.shortfall}; ${advice}` };
    }),
    warnings:
      lambda < asked
        ? [
            ...warnings,
            `lambda was lowered from ${asked} to ${lambda} to reach a target: the edits are larger for it, and on other text can do the opposite where they were fitted to little; look at the checks, or fit to more`,
          ]
        : warnings,
  };
}
