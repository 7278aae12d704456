import { expect, test } from "vitest";
import { expandBraces } from "./expand-braces.js";

test("expands lists, ranges, steps and doublings", () => {
  expect(expandBraces("org/name@main")).toEqual(["org/name@main"]);
  expect(expandBraces("s{0,1,2,4,...,512,1000..3000:1000}x")).toEqual(
    [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000, 2000, 3000].map((step) => `s${step}x`),
  );
  expect(expandBraces("{a,b}-{1..3}")).toEqual(["a-1", "a-2", "a-3", "b-1", "b-2", "b-3"]);
  expect(expandBraces("EleutherAI/pythia-70m@step{0,1,2,4,...,512,1000..143000:1000}")).toHaveLength(154);
  expect(expandBraces("{512,...,4096..5000:904}")).toEqual(["512", "1024", "2048", "4096", "5000"]);
});

test.each([
  ["a{1,2", /without a closing one/],
  ["a1}", /without an opening one/],
  ["{3..1}", /empty or goes backwards/],
  ["{0..5:0}", /empty or goes backwards/],
  ["{0..99999}", /over 10000 steps/],
  ["{0..9999}{0..9}", /over 10000 names/],
  ["{...,4}", /stands between two numbers/],
  ["{0,...,8}", /the first above 0/],
  ["{3,...,10}", /does not come to 10/],
])("refuses %s", (pattern, message) => {
  expect(() => expandBraces(pattern)).toThrow(message);
});
