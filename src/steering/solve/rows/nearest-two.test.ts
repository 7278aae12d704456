import fc from "fast-check";
import { expect, test } from "vitest";
import { nearestTwo } from "./nearest-two.js";

const number = fc.double({ min: -1, max: 1, noNaN: true });

test("the pair of signed numbers is the nearest that there is, if any is nearer than none", () => {
  fc.assert(
    fc.property(fc.array(number, { maxLength: 8 }), number, (numbers, aim) => {
      let least = Math.abs(aim);
      for (const [i, a] of numbers.entries()) {
        for (const b of numbers.slice(i + 1)) {
          for (const sum of [a + b, a - b, b - a, -a - b]) least = Math.min(least, Math.abs(sum - aim));
        }
      }
      const moves = numbers.flatMap((effect, at) => [effect, -effect].map((signed) => ({ at, effect: signed })));
      const pair = nearestTwo(moves, aim);
      const sum = (pair ?? []).reduce((all, { effect }) => all + effect, 0);
      expect(Math.abs(sum - aim)).toBeCloseTo(least, 12);
      if (pair) expect(pair[0].at).not.toBe(pair[1].at);
    }),
  );
});
