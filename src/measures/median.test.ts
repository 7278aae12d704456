import { expect, test } from "vitest";
import { finiteMedian, median } from "./median.js";

test("the middle of an even number of values lies between two", () => {
  expect(median([5, 1, 9])).toBe(5);
  expect(median([4, 1, 9, 2])).toBe(3);
  expect(median([])).toBeNaN();
});

test("what is not finite can be left out", () => {
  expect(finiteMedian([Number.NaN, 2, Number.POSITIVE_INFINITY, 4])).toBe(3);
  expect(finiteMedian([Number.NaN])).toBeNaN();
});
