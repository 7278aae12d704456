import { expect, test } from "vitest";
import { matchTexts } from "./bounded-match.js";

test("says which texts match, and stops a pattern that would never end", () => {
  expect(matchTexts(/^a/u, ["ab", "ba", "a"])).toEqual([true, false, true]);
  expect(() => matchTexts(/^(a+)+$/, [`${"a".repeat(60)}b`], 50)).toThrow(/takes more than 0\.05 seconds to match/);
});
