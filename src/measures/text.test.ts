import { expect, test } from "vitest";
import { distinct, perplexity, repetition } from "./text.js";

test("distinct-n counts over all texts together, and not across their ends", () => {
  const texts = [
    [1, 2, 1, 2],
    [1, 2, 3],
  ];
  expect(distinct(texts, 1)).toBe(3 / 7);
  expect(distinct(texts, 2)).toBe(3 / 5); // 12 21 12 | 12 23
  expect(distinct(texts, 3)).toBe(3 / 3); // 121 212 | 123
  expect(distinct(texts, 5)).toBeNaN();
  // 1, 23 and 12, 3 are two bigrams.
  expect(
    distinct(
      [
        [1, 23, 9],
        [12, 3],
      ],
      2,
    ),
  ).toBe(1);
});

test("repetition-n is each text's own share, averaged", () => {
  expect(repetition([[1, 2, 1, 2, 1, 2]], 2)).toBeCloseTo(1 - 2 / 5, 15);
  expect(repetition([[7, 7, 7, 7, 7], [1, 2, 3, 4], [5]], 4)).toBeCloseTo((1 - 1 / 2 + 0) / 2, 15);
  expect(repetition([[1, 2, 3]], 4)).toBeNaN();
});

test("perplexity of even odds is their number", () => {
  expect(perplexity(new Float64Array(10).fill(Math.log(1 / 6)))).toBeCloseTo(6, 12);
  expect(perplexity([Math.log(0.5), Math.log(0.125)])).toBeCloseTo(4, 12);
  expect(perplexity([])).toBeNaN();
});

test("n-grams of no tokens are refused", () => {
  expect(() => distinct([[1, 2]], 0)).toThrow("n-grams of 0 tokens");
});
