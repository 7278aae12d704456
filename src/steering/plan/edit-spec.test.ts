import { expect, test } from "vitest";
import { parseSpec, splitEdit, targetOf } from "./edit-spec.js";

test.each([
  ["x0.5", { scale: 0.5 }],
  ["x3", { scale: 3 }],
  ["x1e-3", { scale: 1e-3 }],
  ["+2", { logOdds: 2 }],
  ["-2.5", { logOdds: -2.5 }],
  ["p=0.001", { probability: 0.001 }],
  ["ban", { ban: true }],
  ["ban=1e-4", { ban: 1e-4 }],
])("%s is a target", (spec, target) => {
  expect(parseSpec(spec)).toEqual(target);
});

test.each(["", "2", "x", "xNaN", "x-1", "p=", "p=a", "banned", "x0x1", "Infinity"])("%j is none", (spec) => {
  expect(parseSpec(spec)).toBeUndefined();
});

test.each([
  [" the=x0.5", " the", { scale: 0.5 }],
  ["a=b=p=0.1", "a=b", { probability: 0.1 }],
  ["==+1", "=", { logOdds: 1 }],
  ["x=ban=0.5", "x", { ban: 0.5 }],
])("%s is split at the last = that a target follows", (text, token, target) => {
  const { spec, ...rest } = splitEdit(text, "edit");
  expect({ ...rest, target: targetOf(spec, "edit") }).toEqual({ token, target });
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("the factor %s is refused", (factor) => {
  expect(() => targetOf(factor, "edit")).toThrow(/^edit: scales by/);
});

test.each([
  [" the", /is not TOKEN=SPEC/],
  ["=x2", /is not TOKEN=SPEC/],
  ["a=x0", /scales by 0/],
  ["a=x1e999", /scales by Infinity/],
  ["a=p=0", /probability of 0/],
  ["a=p=1", /probability of 1/],
  ["a=ban=2", /bans by a factor of 2; one below 1/],
])("%s is refused", (text, message) => {
  expect(() => targetOf(splitEdit(text, "edit").spec, "edit")).toThrow(message);
});
