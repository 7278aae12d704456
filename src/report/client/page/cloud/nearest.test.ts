import fc from "fast-check";
import { expect, test } from "vitest";
import { nearestPoint } from "./nearest.js";

const place = fc.double({ min: -20, max: 320, noNaN: true });

test("finds what trying every point finds", () => {
  const points = fc.array(fc.tuple(place, place), { maxLength: 60 });
  fc.assert(
    fc.property(points, place, place, fc.integer({ min: 1, max: 60 }), (cloud, atX, atY, within) => {
      const x = Float32Array.from(cloud, ([value]) => value);
      const y = Float32Array.from(cloud, ([, value]) => value);
      const found = nearestPoint(x, y, 300, 200)(atX, atY, within);
      const distance = (i: number) => Math.hypot(x[i]! - atX, y[i]! - atY);
      const reachable = [...x.keys()].filter(
        (i) => x[i]! >= 0 && x[i]! < 300 && y[i]! >= 0 && y[i]! < 200 && distance(i) < within - 1e-6,
      );
      const least = Math.min(...reachable.map(distance));
      if (reachable.length > 0) expect(distance(found!)).toBeCloseTo(least, 6);
      else if (found !== undefined) expect(distance(found)).toBeCloseTo(within, 4);
    }),
  );
});
