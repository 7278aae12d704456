import { expect, test } from "vitest";
import { solveAtLoweredLambda, withAdvice } from "./lowered-lambda.js";
import type { Solution } from "./solution.js";

/** What is reached of a target of 1, by lambda. */
function solver(reached: (lambda: number) => number) {
  const tried: number[] = [];
  const solve = async (lambda: number): Promise<Solution> => {
    tried.push(lambda);
    const probability = { before: 2, wanted: 1, after: reached(lambda) };
    const group = {
      tokens: [1],
      target: { scale: 0.5 },
      probability,
      idealBias: 0,
      klToIdeal: 0,
      klOfIdeal: 0,
      norms: [1],
    };
    const shortfall = Math.abs(probability.after - 1) > 1e-5 ? "missed" : undefined;
    const rows = { ids: Int32Array.of(1), values: Float64Array.of(0) };
    return { method: "nearest", groups: [{ ...group, shortfall }], rows, warnings: [] };
  };
  return { solve, tried };
}

test("a target that is reached, or missed by a last digit, keeps lambda", async () => {
  for (const value of [1, 1.0005]) {
    const { solve, tried } = solver(() => value);
    const { solution, lambda } = await solveAtLoweredLambda(solve, 1e-4);
    expect([lambda, tried]).toEqual([1e-4, [1e-4]]);
    expect(withAdvice(solution, lambda, 1e-4)).toEqual(solution);
  }
});

test("lambda goes down until the target is reached, and that is said", async () => {
  // As measured for a ban of a common token.
  const ban = solver((lambda) => ({ 1e-4: 28, 1e-5: 5.7, 1e-6: 1.3 })[lambda] ?? 1);
  expect((await solveAtLoweredLambda(ban.solve, 1e-4)).lambda).toBe(1e-7);
  const { solve, tried } = solver((lambda) => (lambda > 1e-6 ? 1 + 1e5 * lambda : 1));
  const { solution, lambda } = await solveAtLoweredLambda(solve, 1e-4);
  expect([lambda, tried]).toEqual([1e-6, [1e-4, 1e-5, 1e-6]]);
  expect(withAdvice(solution, lambda, 1e-4).warnings[0]).toMatch(/lowered from 0\.0001 to 0\.000001/);
});

test("a target that stays out of reach does not make the edit grow", async () => {
  const { solve, tried } = solver((lambda) => (lambda > 1e-5 ? 10 : 9));
  const { solution, lambda } = await solveAtLoweredLambda(solve, 1e-4);
  expect([lambda, tried]).toEqual([1e-4, [1e-4, 1e-5]]);
  const [group] = withAdvice(solution, lambda, 1e-4).groups;
  expect(group!.shortfall).toBe("missed; more text, a size below 0.0001 or a weaker target may reach it");
});
