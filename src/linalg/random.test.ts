import fc from "fast-check";
import { expect, it } from "vitest";
import { permutation, seededRandom, xoshiro128 } from "./random.js";

it("gives the numbers of the published C program", () => {
  const random = xoshiro128(1, 2, 3, 4);
  const wanted = [11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804];
  expect(wanted.map(() => random() * 2 ** 32)).toEqual(wanted);
});

it("the same seed gives the same numbers, seeds that differ in any bit others", () => {
  const first = (seed: number) => {
    const random = seededRandom(seed);
    return [random(), random(), random(), random()];
  };
  expect(first(7)).toEqual(first(7));
  const seeds = [0, 1, -1, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1, 1 - 2 ** 53];
  expect(new Set(seeds.map((seed) => first(seed).join())).size).toBe(seeds.length);
  expect(() => seededRandom(0.5)).toThrow(RangeError);
});

it("is uniform on [0, 1)", () => {
  const random = seededRandom(3);
  const cells = new Array<number>(16).fill(0);
  for (let i = 0; i < 160_000; i++) cells[Math.floor(random() * 16)]!++;
  const chiSquare = cells.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
  // The 99.9% quantile with 15 degrees of freedom.
  expect(chiSquare).toBeLessThan(37.7);
});

it("permutes", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 300 }), fc.integer(), (length, seed) => {
      const order = permutation(length, seededRandom(seed));
      expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i));
    }),
  );
});
