import { expect, test } from "vitest";
import { bytesSource } from "../tensor/byte-source.js";
import { emptyStatistics, type HeadStatistics, meanProbability, merge } from "./head-statistics.js";
import { decodeStatistics, encodeStatistics } from "./statistics-file.js";

function example(vocabSize: number, hiddenSize: number, offset: number): HeadStatistics {
  let next = offset;
  const fill = (length: number) =>
    Float64Array.from({ length }, () => {
      next += 0.37;
      return next % 5;
    });
  return {
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

test("statistics come back from their file bit by bit, and only for a head of the same sizes", async () => {
  const statistics = example(5, 3, 7);
  const file = bytesSource("unfinished", encodeStatistics(statistics, { key: "k" }));
  expect(await decodeStatistics(file, 5, 3)).toEqual({ statistics, metadata: { key: "k" } });
  await expect(decodeStatistics(file, 6, 3)).rejects.toThrow('unfinished: tensor "sum_probability"');
});
