import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dimensionsFor, fallingOrder, giniCoefficient, lorenzCurve } from "./saliency.js";

const values = fc
  .array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 1, maxLength: 60 })
  .map((list) => Float64Array.from(list))
  .filter((list) => list.some((value) => value > 1e-6));

describe("Lorenz curve", () => {
  it("rises from the smallest share to 1, under the diagonal", () => {
    fc.assert(
      fc.property(values, (list) => {
        const curve = lorenzCurve(list);
        expect(curve.at(-1)).toBe(1);
        for (let k = 0; k < curve.length; k++) {
          expect(curve[k]!).toBeGreaterThanOrEqual(k === 0 ? 0 : curve[k - 1]!);
          expect(curve[k]!).toBeLessThanOrEqual((k + 1) / curve.length + 1e-9);
        }
      }),
    );
  });

  it("encloses half the Gini coefficient with the diagonal", () => {
    fc.assert(
      fc.property(values, (list) => {
        const curve = lorenzCurve(list);
        const area =
          curve.reduce((sum, share, k) => sum + (share + (k === 0 ? 0 : curve[k - 1]!)) / 2, 0) / list.length;
        expect(giniCoefficient(list)).toBeCloseTo(1 - 2 * area, 10);
      }),
    );
  });
});

it("Gini is 0 for equals and (n - 1) / n where one holds all", () => {
  expect(giniCoefficient(Float64Array.of(2, 2, 2, 2))).toBeCloseTo(0, 15);
  expect(giniCoefficient(Float64Array.of(0, 9, 0, 0))).toBeCloseTo(0.75, 15);
});

it("counts the dimensions that hold a share", () => {
  expect(dimensionsFor(Float64Array.of(10, 50, 30, 10))).toEqual({ "50": 1, "80": 2, "90": 3, "95": 4 });
});

it("orders falling, equal ones as they were", () => {
  expect([...fallingOrder(Float64Array.of(1, 3, 2, 3))]).toEqual([1, 3, 2, 0]);
});
