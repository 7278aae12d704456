import fc from "fast-check";
import { expect, test } from "vitest";
import { spread } from "./spread.js";

test("names that are apart stay where they belong", () => {
  expect(spread([10, 30, 60], 14, 0, 100)).toEqual([10, 30, 60]);
  expect(spread([20, 20], 14, 0, 100)).toEqual([13, 27]);
  expect(spread([2, 3, 4], 10, 0, 100)).toEqual([0, 10, 20]);
});

test("names keep their order, a line apart, and inside where there is room", () => {
  const heights = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 20 }).map((all) => all.sort((a, b) => a - b));
  fc.assert(
    fc.property(heights, (wanted) => {
      const placed = spread(wanted, 14, 0, 300);
      expect(placed).toHaveLength(wanted.length);
      for (const [i, height] of placed.entries()) {
        expect(height).toBeGreaterThanOrEqual(-1e-9);
        expect(height).toBeLessThanOrEqual(300 + 1e-9);
        if (i > 0) expect(height - placed[i - 1]!).toBeGreaterThanOrEqual(14 - 1e-9);
      }
    }),
  );
});
