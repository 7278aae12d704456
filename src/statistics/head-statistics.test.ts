import { expect, test } from "vitest";
import { bytesSource } from "../tensor/byte-source.js";
import { emptyStatistics, type HeadStatistics, meanProbability, merge } from "./head-statistics.js";
import { decodeCollected, decodeStatistics, encodeCollected, encodeStatistics } from "./statistics-file.js";

function example(vocabSize: number, hiddenSize: number, offset: number): HeadStatistics {
  let next = offset;
  const fill = (length: number) =>
    Float64Array.from({ length }, () => {
      next += 0.37;
      return next % 5;
    });
  return {
    windows: 3 + offset,
    contexts: 10 + offset,
    sumProbability: fill(vocabSize),
    sumHidden: fill(hiddenSize),
    sumHiddenOuter: fill(hiddenSize ** 2),
    sumLogNormalizerHidden: fill(hiddenSize),
    sumLogNormalizer: 11 + offset,
    sumLogNormalizerSquared: 12 + offset,
    sumEntropy: 13 + offset,
    sumLogitDeviation: 14 + offset,
    sumTopMass: { "1": 1 + offset, "10": 2 + offset, "100": 3 + offset },
    tokenCounts: fill(vocabSize),
    groups: { contexts: fill(16), sumProbability: fill(16 * vocabSize) },
  };
}

test("merging adds every sum, and merging with nothing changes nothing", () => {
  const a = example(5, 3, 0);
  const b = example(5, 3, 100);
  const both = merge(a, b);
  expect(both.contexts).toBe(120);
  expect(both.sumTopMass).toEqual({ "1": 102, "10": 104, "100": 106 });
  expect(both.sumHiddenOuter).toEqual(a.sumHiddenOuter.map((value, i) => value + b.sumHiddenOuter[i]!));
  expect(merge(a, emptyStatistics(5, 3))).toEqual(a);
  expect(() => merge(a, example(6, 3, 0))).toThrow(RangeError);
});

test("the mean probability divides by the number of contexts", () => {
  const statistics = { ...emptyStatistics(2, 1), contexts: 4, sumProbability: Float64Array.of(1, 3) };
  expect(meanProbability(statistics)).toEqual(Float64Array.of(0.25, 0.75));
});

test("parts merged in any grouping have the same bits, and the same rest but for its own rounding", () => {
  const parts = Array.from({ length: 7 }, (_, i) => example(5, 3, 0.1 + 13 * i));
  const inTurn = parts.reduce((sum, part) => merge(sum, part));
  const halves = merge(parts.slice(0, 3).reduce(merge), parts.slice(3).reduce(merge));
  expect({ ...halves, rest: undefined }).toEqual({ ...inTurn, rest: undefined });
  expect(halves.rest!.sumHidden[0]! - inTurn.rest!.sumHidden[0]!).toBeCloseTo(0, 25);
  expect(inTurn.rest!.sumHidden.some((value) => value !== 0)).toBe(true);
});

const sizes = { vocabSize: 5, hiddenSize: 3, transformed: false };

test("statistics come back from their file bit by bit, and only for a head of the same sizes", async () => {
  for (const statistics of [example(5, 3, 7), merge(example(5, 3, 7.1), example(5, 3, 0.3))]) {
    const file = bytesSource("statistics", encodeStatistics(statistics, { key: "k" }));
    expect(await decodeStatistics(file, sizes)).toEqual({ statistics, metadata: { key: "k" } });
    await expect(decodeStatistics(file, { ...sizes, vocabSize: 6 })).rejects.toThrow(
      'statistics: tensor "sum_probability"',
    );
  }
});

test("what an unfinished pass had reached comes back from its file bit by bit", async () => {
  const collected = {
    nextWindow: 130,
    statistics: merge(example(5, 3, 7), example(5, 3, 0.3)),
    block: example(5, 3, 1),
  };
  const file = bytesSource("unfinished", encodeCollected(collected, { key: "k" }));
  expect((await decodeCollected(file, sizes)).collected).toEqual(collected);
  const other = bytesSource("statistics", encodeStatistics(collected.statistics, {}));
  await expect(decodeCollected(other, sizes)).rejects.toThrow("next_window is undefined");
});
