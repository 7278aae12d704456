import { expect, test } from "vitest";
import { visibleText, visibleToken } from "./visible-text.js";

test.each([
  [" the", "␣the"],
  ["", "(empty)"],
  ["\n\t", "\\n\\t"],
  ["\u202eabc", "\\u202eabc"],
  ["a\u200b\u00a0", "a\\u200b\\u00a0"],
  ["\ud800", "\\ud800"],
  ["\u0301", "◌\u0301"],
  ["日本 😀", "日本␣😀"],
  ["\u{e0001}", "\\u{e0001}"],
])("shows %j as %s", (text, shown) => {
  expect(visibleToken(text)).toBe(shown);
});

test("cuts long texts between characters", () => {
  expect([...visibleToken("😀".repeat(500))]).toHaveLength(40);
  expect(visibleText("x".repeat(41))).toBe(`${"x".repeat(39)}…`);
  expect(visibleText("x".repeat(40))).toBe("x".repeat(40));
});
