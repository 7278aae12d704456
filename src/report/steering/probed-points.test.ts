import { expect, test } from "vitest";
import { contextsToShow } from "./probed-points.js";

test("of many contexts those that stand out are shown, and an even sample of the others", () => {
  const before = Float32Array.from({ length: 20_000 }, (_, i) => 10 ** (-9 + (8 * i) / 20_000));
  const after = before.map((p) => p / 2);
  after[1234] = 0.9;
  after[4321] = 0;
  const shown = contextsToShow({ before, after }, 1000);
  expect(shown).toHaveLength(1000);
  expect(new Set(shown).size).toBe(1000);
  expect(shown).toEqual(expect.arrayContaining([1234, 4321, 19_999]));
  const plain = shown.filter((i) => i > 400 && i < 19_000);
  const steps = plain.slice(1).map((i, place) => i - plain[place]!);
  expect(Math.max(...steps)).toBeLessThan(60);
  expect(contextsToShow({ before, after }, 20_000)).toHaveLength(20_000);
  expect(contextsToShow({ before: before.subarray(0, 3), after }, 10)).toEqual([0, 1, 2]);
});
