import { expect, test } from "vitest";
import { solveRidge } from "./ridge.js";

test("(A + lambda I) x = b by hand", () => {
  const b = Float64Array.of(7, 8);
  solveRidge(Float64Array.of(1, 1, 1, 2), 2, 1, b);
  // [2 1; 1 3] x = [7, 8]
  expect(b[0]).toBeCloseTo(13 / 5, 14);
  expect(b[1]).toBeCloseTo(9 / 5, 14);
});

test("without lambda a dependent unknown is zero", () => {
  const b = Float64Array.of(2, 2);
  solveRidge(Float64Array.of(1, 1, 1, 1), 2, 0, b);
  expect(b).toEqual(Float64Array.of(2, 0));
});
