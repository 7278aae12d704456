import { expect, test } from "vitest";
import { seededRandom } from "../../linalg/random.js";
import { hardConcrete, openProbability } from "./hard-concrete.js";

/** Louizos et al.'s numbers at log alpha = 0: s = 1/2 at u = 1/2, and P(open) = sigmoid(2/3 ln 11). */
test("a gate of location 0 is half open in the middle, and open by the formula of the paper", () => {
  expect(hardConcrete(0, 0.5).value).toBeCloseTo(0.5, 12);
  expect(openProbability(0).value).toBeCloseTo(1 / (1 + 11 ** (-2 / 3)), 12);
});

test.each([-3, -1, 0, 2])("at location %d as many of those drawn are open as the probability says", (location) => {
  const random = seededRandom(3);
  let open = 0;
  for (let i = 0; i < 20_000; i++) if (hardConcrete(location, random()).value > 0) open++;
  expect(Math.abs(open / 20_000 - openProbability(location).value)).toBeLessThan(0.015);
});

test("slopes are those of finite differences, and 0 where a gate is cut off", () => {
  const step = 1e-6;
  for (const location of [-2, 0, 1]) {
    for (const uniform of [0.2, 0.5, 0.7]) {
      const [before, after] = [hardConcrete(location - step, uniform), hardConcrete(location + step, uniform)];
      expect(hardConcrete(location, uniform).slope).toBeCloseTo((after.value - before.value) / (2 * step), 6);
    }
    const [before, after] = [openProbability(location - step), openProbability(location + step)];
    expect(openProbability(location).slope).toBeCloseTo((after.value - before.value) / (2 * step), 6);
  }
  expect(hardConcrete(2, 0.999)).toEqual({ value: 1, slope: 0 });
  expect(hardConcrete(-2, 0)).toEqual({ value: 0, slope: 0 });
});
