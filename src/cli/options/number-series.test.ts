import { describe, expect, test } from "vitest";
import { countSeries, numberSeries } from "./number-series.js";

const scales = numberSeries([1, 2, 5]);

test("a range is its ends and round numbers between, exactly as written", () => {
  expect(scales("0.01..100")).toEqual([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]);
  expect(scales("0.03..0.6")).toEqual([0.03, 0.05, 0.1, 0.2, 0.5, 0.6]);
  expect(numberSeries([1])("1e-6..0.01")).toEqual([1e-6, 1e-5, 1e-4, 1e-3, 0.01]);
  expect(countSeries("500..4_000")).toEqual([500, 1000, 2000, 4000]);
});

test("a list is sorted, each number once", () => {
  expect(scales("5,0.2,5")).toEqual([0.2, 5]);
  expect(scales("3")).toEqual([3]);
});

describe("what is no series is refused", () => {
  test.each(["", "0..1", "2..1", "1..1", "a", "1,,2", "1..2..3", "-1", "1..Infinity", "1e-300..1e300"])(
    "%j",
    (text) => {
      expect(() => scales(text)).toThrow();
    },
  );
  test("parts of tokens", () => expect(() => countSeries("0.5..2")).toThrow(/whole/));
});
