import { expect, test } from "vitest";
import { plainPercent, powersOf } from "./log-figure.js";

test("percentages on an axis keep the zeros that count", () => {
  expect([0, 1, 0.5, 0.1, 0.02, 0.001, 1e-4, 1e-6].map(plainPercent)).toEqual([
    "0%",
    "100%",
    "50%",
    "10%",
    "2%",
    "0.1%",
    "0.01%",
    "10⁻⁴%",
  ]);
});

test("powers of ten, as many as there is room for", () => {
  expect(powersOf([0.009, 110], 20)).toEqual([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]);
  expect(powersOf([0.009, 110], 5)).toEqual([0.01, 0.1, 1, 10, 100]);
  expect(powersOf([0.009, 110], 3)).toEqual([0.01, 1, 100]);
});
