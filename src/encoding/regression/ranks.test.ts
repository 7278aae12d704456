import fc from "fast-check";
import { expect, it } from "vitest";
import { averageRanks, spearman } from "./ranks.js";

const a = Float64Array.of(3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5);
const b = Float64Array.of(2, 7, 1, 8, 2, 8, 1, 8, 2, 8, 4);

it("agrees with scipy, ties and all", () => {
  expect([...averageRanks(a)]).toEqual([4.5, 1.5, 6, 1.5, 8, 11, 3, 10, 8, 4.5, 8]);
  expect(spearman(a, b)).toBeCloseTo(0.1384567651467695, 14);
});

it("is 1 for any rising map, -1 for any falling one, 0 for a constant", () => {
  fc.assert(
    fc.property(fc.float64Array({ minLength: 2, maxLength: 50, noNaN: true, min: -20, max: 20 }), (values) => {
      fc.pre(values.some((value) => value !== values[0]));
      expect(
        spearman(
          values,
          values.map((value) => 2 * value),
        ),
      ).toBeCloseTo(1, 12);
      expect(
        spearman(
          values,
          values.map((value) => -value),
        ),
      ).toBeCloseTo(-1, 12);
      expect(
        spearman(
          values,
          values.map(() => 1),
        ),
      ).toBe(0);
    }),
  );
});

it("does not depend on the units of either side", () => {
  const cubed = a.map((value) => value ** 3 - 7);
  expect(spearman(cubed, b)).toBe(spearman(a, b));
  expect(spearman(a, b.map(Math.exp))).toBe(spearman(a, b));
});
