import { expect, test } from "vitest";
import { countFrequencies, probabilityFrequencies } from "./frequencies.js";

const input = { counts: Float64Array.of(5, 0, 12, 1), source: "counts.npy", vocabSize: 4, seenOnly: false };

test("adds one to every count, and to their sum one a token", () => {
  const { tokenIds, observed, kind, totalCount, unseen } = countFrequencies(input);
  expect([...tokenIds]).toEqual([0, 1, 2, 3]);
  expect([...observed]).toEqual([6, 1, 13, 2].map((count) => -Math.log(count / 22)));
  expect({ kind, totalCount, unseen }).toEqual({ kind: "add-one", totalCount: 18, unseen: 1 });
});

test("leaves unseen tokens out when asked to", () => {
  const { tokenIds, observed } = countFrequencies({ ...input, seenOnly: true });
  expect([...tokenIds]).toEqual([0, 2, 3]);
  expect([...observed]).toEqual([5, 12, 1].map((count) => -Math.log(count / 18)));
});

test("rows behind the counts, and ids that the tokenizer never makes, are padding; what was counted is not", () => {
  const counts = Float64Array.from({ length: 100 }, (_, id) => (id < 96 || id === 98 ? id + 1 : 0));
  const { tokenIds, paddingRows, observed } = countFrequencies({
    ...input,
    counts,
    vocabSize: 104,
    produces: (id) => id < 97,
  });
  expect([...tokenIds].slice(95)).toEqual([95, 96, 98]);
  expect(paddingRows).toBe(6);
  const total = counts.reduce((sum, count) => sum + count, 0);
  expect(observed[96]).toBe(-Math.log(1 / (total + 98)));
});

test("counts longer than V are fine as long as nothing was counted there", () => {
  const counts = new Float64Array(6);
  counts[1] = 3;
  expect([...countFrequencies({ ...input, counts }).tokenIds]).toEqual([0, 1, 2, 3]);
  counts[5] = 2;
  expect(() => countFrequencies({ ...input, counts })).toThrow(
    /counts 6 ids, and id 5 2 times, where the output embedding has 4 rows/,
  );
});

test("counts that are too short for padding to explain are refused", () => {
  const counts = new Float64Array(80).fill(1);
  expect(() => countFrequencies({ ...input, counts, vocabSize: 100 })).toThrow(/more than padding can explain/);
  expect(() => countFrequencies({ ...input, counts: new Float64Array(50_000).fill(1), vocabSize: 51_100 })).toThrow(
    /more than padding can explain/,
  );
  expect(countFrequencies({ ...input, counts: new Float64Array(50_295).fill(1), vocabSize: 51_200 }).paddingRows).toBe(
    905,
  );
});

test("counts that are all zero are refused", () => {
  expect(() => countFrequencies({ ...input, counts: new Float64Array(4) })).toThrow(/^counts.npy: all counts are zero/);
});

test("probabilities take the rows that their analysis took", () => {
  const probabilities = Float64Array.of(0.5, 0.25, 0.25, 0);
  const { tokenIds, observed, paddingRows } = probabilityFrequencies(probabilities, Int32Array.of(0, 2), "run", 4);
  expect([...tokenIds]).toEqual([0, 2]);
  expect([...observed]).toEqual([-Math.log(0.5), -Math.log(0.25)]);
  expect(paddingRows).toBe(2);
  expect(() => probabilityFrequencies(probabilities, undefined, "run", 4)).toThrow(/token 3 has probability 0/);
  expect(() => probabilityFrequencies(probabilities, undefined, "run", 5)).toThrow(/of 4 tokens where .* 5 rows/);
  expect(() => probabilityFrequencies(probabilities, Int32Array.of(1, 1), "run", 4)).toThrow(/names 1, twice/);
});
