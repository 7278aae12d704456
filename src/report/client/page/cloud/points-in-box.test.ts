import fc from "fast-check";
import { expect, test } from "vitest";
import { pointsInBox } from "./points-in-box.js";

test("counts what trying every point counts, in boxes of whole cells", () => {
  const place = fc.tuple(fc.integer({ min: -5, max: 105 }), fc.integer({ min: -5, max: 85 }));
  const edge = fc.integer({ min: 0, max: 25 }).map((cell) => 4 * cell);
  fc.assert(
    fc.property(fc.array(place, { maxLength: 60 }), edge, edge, edge, edge, (places, a, b, c, d) => {
      const x = Float32Array.from(places, ([value]) => value);
      const y = Float32Array.from(places, ([, value]) => value);
      const box = { left: Math.min(a, b), right: Math.max(a, b), top: Math.min(c, d), bottom: Math.max(c, d) };
      const inside = places.filter(
        ([px, py]) =>
          px >= 0 &&
          px < 100 &&
          py >= 0 &&
          py < 80 &&
          px >= box.left &&
          px < box.right &&
          py >= box.top &&
          py < box.bottom,
      );
      expect(pointsInBox(x, y, 100, 80)(box)).toBe(inside.length);
    }),
  );
  expect(
    pointsInBox(new Float32Array(1), new Float32Array(1), 100, 80)({ left: -50, top: -50, right: 900, bottom: 900 }),
  ).toBe(1);
});
