import { expect, test } from "vitest";
import { endedAfter, matchTexts } from "./bounded-match.js";

test("says which texts match, and stops a pattern that would never end", () => {
  expect(matchTexts(/^a/u, ["ab", "ba", "a"])).toEqual([true, false, true]);
  expect(() => matchTexts(/^(a+)+$/, [`${"a".repeat(60)}b`], 50)).toThrow(/takes more than 0\.05 seconds to match/);
});

test("ends work that never would, and gives back what other work does", () => {
  expect(endedAfter(1000, () => [1, 2])).toEqual({ result: [1, 2] });
  expect(endedAfter(50, () => /^(a+)+$/.test(`${"a".repeat(60)}b`))).toBeUndefined();
  expect(() =>
    endedAfter(1000, () => {
      throw new RangeError("its own");
    }),
  ).toThrow("its own");
});
