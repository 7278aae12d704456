import fc from "fast-check";
import { expect, test } from "vitest";
import { partWindows } from "./parts.js";

test("parts follow one another over the whole text, cut at multiples of 64 windows, of nearly one size", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 1, max: 300 }), (windows, parts) => {
      let next = 0;
      const sizes = [];
      for (let part = 1; part <= parts; part++) {
        const { first, end } = partWindows(windows, { part, parts });
        expect(first).toBe(next);
        expect(end === windows || end % 64 === 0).toBe(true);
        sizes.push(Math.ceil((end - first) / 64));
        next = end;
      }
      expect(next).toBe(windows);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }),
    { numRuns: 20 },
  );
});
