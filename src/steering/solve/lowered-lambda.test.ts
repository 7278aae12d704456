import { expect, test } from "vitest";
import { solveAtLoweredLambdas, withAdvice } from "./lowered-lambda.js";
import type { Solution } from "./solution.js";

/** What is reached of targets of 1, by lambda, one function an edit. */
function solver(...reached: ((lambda: number) => number)[]) {
  const tried: (readonly number[])[] = [];
  const solve = async (lambdas: readonly number[]): Promise<Solution> => {
    tried.push(lambdas);
    const groups = reached.map((of, g) => {
      const after = of(lambdas[g]!);
      return {
        ...{ tokens: [g], target: { scale: 0.5 }, method: "nearest" as const, lambda: lambdas[g]! },
        probability: { before: 2, wanted: 1, after },
        ...{ idealBias: 0, klToIdeal: 0, klOfIdeal: 0, norms: [1] },
        shortfall: Math.abs(after - 1) > 1e-5 ? "missed" : undefined,
      };
    });
    return { method: "nearest", groups, rows: { ids: Int32Array.of(), values: new Float64Array() }, warnings: [] };
  };
  return { solve, tried };
}

const lambdasOf = ({ groups }: Solution) => groups.map(({ lambda }) => lambda);

test("a target that is reached, or missed by a last digit, keeps lambda", async () => {
  for (const value of [1, 1.0005]) {
    const { solve, tried } = solver(() => value);
    const solution = await solveAtLoweredLambdas(solve, [1e-4]);
    expect([lambdasOf(solution), tried]).toEqual([[1e-4], [[1e-4]]]);
    expect(withAdvice(solution, [1e-4])).toEqual(solution);
  }
});

test("lambda goes down until the target is reached, and that is said", async () => {
  // As measured for a ban of a common token.
  const ban = solver((lambda) => ({ 1e-4: 28, 1e-5: 5.7, 1e-6: 1.3 })[lambda] ?? 1);
  expect(lambdasOf(await solveAtLoweredLambdas(ban.solve, [1e-4]))).toEqual([1e-7]);
  const { solve, tried } = solver((lambda) => (lambda > 1e-6 ? 1 + 1e5 * lambda : 1));
  const solution = await solveAtLoweredLambdas(solve, [1e-4]);
  expect([lambdasOf(solution), tried.flat()]).toEqual([[1e-6], [1e-4, 1e-5, 1e-6]]);
  expect(withAdvice(solution, [1e-4]).warnings[0]).toMatch(/lowered to 0\.000001 for an edit/);
});

test("an edit that needs to be larger changes nothing for the others, nor one that nothing helps", async () => {
  const slow = (lambda: number) => ({ 1e-4: 28, 1e-5: 5.7, 1e-6: 1.3 })[lambda] ?? 1;
  const { solve } = solver(
    () => 1,
    slow,
    (lambda) => (lambda > 1e-5 ? 10 : 9),
    (lambda) => (lambda > 1e-5 ? 3 : 1),
  );
  const solution = await solveAtLoweredLambdas(solve, [1e-4, 1e-4, 1e-4, 1e-4]);
  expect(lambdasOf(solution)).toEqual([1e-4, 1e-7, 1e-4, 1e-5]);
});

test("a target that stays out of reach does not make the edit grow", async () => {
  const { solve, tried } = solver((lambda) => (lambda > 1e-5 ? 10 : 9));
  const solution = await solveAtLoweredLambdas(solve, [1e-4]);
  expect([lambdasOf(solution), tried.flat()]).toEqual([[1e-4], [1e-4, 1e-5]]);
  const [group] = withAdvice(solution, [1e-4]).groups;
  expect(group!.shortfall).toBe("missed; more text, a size below 0.0001 or a weaker target may reach it");
});

test("a target that only rounding misses is no reason for a larger edit", async () => {
  const { solve, tried } = solver(() => 1.01);
  const coarse = async (lambdas: readonly number[]): Promise<Solution> => {
    const solution = await solve(lambdas);
    return { ...solution, groups: solution.groups.map((group) => ({ ...group, rounding: Math.log(1.01) })) };
  };
  const solution = await solveAtLoweredLambdas(coarse, [1e-4]);
  expect([lambdasOf(solution), tried]).toEqual([[1e-4], [[1e-4]]]);
  expect(withAdvice(solution, [1e-4]).groups[0]!.shortfall).toBe("missed");
});
