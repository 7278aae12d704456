import { expect, test } from "vitest";
import { crowding } from "./density.js";

test("a crowd is denser than a loner, and the densest place is 1", () => {
  const x = Float32Array.of(...Array(50).fill(30), 90, -5, Number.NaN);
  const y = Float32Array.of(...Array(50).fill(30), 90, 30, 30);
  const shades = crowding(x, y, 100, 100);
  expect(shades[0]).toBeCloseTo(1, 5);
  expect(shades[50]).toBeGreaterThan(0);
  expect(shades[50]).toBeLessThan(0.2);
  expect([shades[51], shades[52]]).toEqual([0, 0]);
});

test("does not leak from one side of the figure to the other", () => {
  const x = Float32Array.of(...Array(50).fill(98), 1);
  const y = Float32Array.of(...Array(50).fill(50), 53);
  const alone = crowding(Float32Array.of(98, 1), Float32Array.of(50, 53), 99, 99);
  expect(alone[0]).toBeCloseTo(alone[1]!, 5);
  expect(crowding(x, y, 99, 99)[50]).toBeLessThan(0.2);
});
