import { expect, test } from "vitest";
import { findTokens, landmarks, tokenTable } from "./token-table.js";

function tableOf(texts: string[]) {
  const observed = Float32Array.from(texts, (_, i) => texts.length - i);
  const ids = Int32Array.from(texts.keys());
  return tokenTable({ texts, ids, counts: [], observed, fitted: observed.slice() });
}

test("ranks tokens by probability", () => {
  const table = tableOf(["a", "b", "c", "d", "e"]);
  expect([...table.byProbability]).toEqual([4, 3, 2, 1, 0]);
  expect([...table.percentile]).toEqual([0, 0.25, 0.5, 0.75, 1]);
});

test("finds exact texts before words, starts and parts, without regard to case", () => {
  const table = tableOf(["bathe", "then", "The", " the", "the", " "]);
  const found = (query: string) => findTokens(table, query, 10).map((i) => table.texts[i]);
  expect(found("the")).toEqual(["the", " the", "The", "then", "bathe"]);
  expect(found(" the")).toEqual([" the", "the", "The", "then", "bathe"]);
  expect(found("␣the")[0]).toBe(" the");
  expect(found("#2")).toEqual(["The"]);
  expect(found(" ")).toEqual([" "]);
  expect([found(""), found("xyz")]).toEqual([[], []]);
  expect(findTokens(table, "the", 2)).toHaveLength(2);
});

test("names the likeliest and the worst missed", () => {
  const table = tableOf(["a", "b", "c", "d", "e"]);
  table.fitted[1]! += 5;
  table.fitted[2]! -= 5;
  expect(landmarks(table, 1, 1)).toEqual([4, 2, 1]);
  expect(landmarks(table, 2, 0)).toEqual([4, 3]);
});
