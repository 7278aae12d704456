import { expect, test } from "vitest";
import { selectorOf } from "./steering-texts.js";

test.each([
  ["/^ (sea|ship)$/u=p=0.001", "/^ (sea|ship)$/u"],
  ["@emoji=ban=1e-4", "@emoji"],
  ["a=b=x0.5", "a=b"],
  [" the=+2", " the"],
  ["no target", "no target"],
])("%s is about %s", (label, selector) => {
  expect(selectorOf(label)).toBe(selector);
});
