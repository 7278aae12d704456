import { expect, it } from "vitest";
import { seededRandom } from "../linalg/random.js";
import { emptyStatistics, meanProbability } from "../statistics/head-statistics.js";
import { matrix } from "../tensor/matrix.js";
import { fitEncoding } from "./fit-encoding.js";
import { theory } from "./theory.js";

const [vocabSize, width, contexts] = [70, 5, 90];
const random = seededRandom(11);
const embedding = matrix(
  vocabSize,
  width,
  Float32Array.from({ length: vocabSize * width }, () => random() - 0.5),
);
const outputBias = Float32Array.from({ length: vocabSize }, () => random() - 0.5);
const hidden = Float64Array.from({ length: contexts * width }, (_, p) => 3 * random() - (p % width) / 3);
// Not a multiple of four, and without some rows.
const tokenIds = Int32Array.from({ length: vocabSize }, (_, id) => id).filter((id) => id % 23 !== 4);

/** Logits of one context and their logsumexp, with or without the bias. */
function logits(t: number, bias: Float32Array | undefined): { z: number[]; normalizer: number } {
  const z = Array.from({ length: vocabSize }, (_, w) => {
    let sum = bias?.[w] ?? 0;
    for (let i = 0; i < width; i++) sum += embedding.data[w * width + i]! * hidden[t * width + i]!;
    return sum;
  });
  return { z, normalizer: Math.log(z.reduce((sum, value) => sum + Math.exp(value), 0)) };
}

function statisticsOf(bias: Float32Array | undefined) {
  const statistics = emptyStatistics(vocabSize, width);
  statistics.contexts = contexts;
  for (let t = 0; t < contexts; t++) {
    const { z, normalizer } = logits(t, bias);
    const h = hidden.subarray(t * width, (t + 1) * width);
    statistics.sumLogNormalizer += normalizer;
    statistics.sumLogNormalizerSquared += normalizer ** 2;
    for (let w = 0; w < vocabSize; w++) statistics.sumProbability[w]! += Math.exp(z[w]! - normalizer);
    for (let i = 0; i < width; i++) {
      statistics.sumHidden[i]! += h[i]!;
      statistics.sumLogNormalizerHidden[i]! += normalizer * h[i]!;
      for (let j = 0; j < width; j++) statistics.sumHiddenOuter[i * width + j]! += h[i]! * h[j]!;
    }
  }
  return statistics;
}

it.each([
  ["without a bias", undefined],
  ["with a bias", outputBias],
] as const)("context by context, %s", async (_, bias) => {
  const statistics = statisticsOf(bias);
  const encoding = await fitEncoding({ embedding, tokenIds, meanProbability: meanProbability(statistics) });
  const { meanField, secondOrder, prior } = await theory({ statistics, embedding, outputBias: bias }, encoding);
  // A head bias alone; nothing is said of a norm that has none.
  expect(prior && Object.keys(prior)).toEqual(bias && ["r2", "spearman"]);

  let [first, second, total] = [0, 0, 0];
  const center = encoding.observed.reduce((sum, value) => sum + value, 0) / tokenIds.length;
  const passes = Array.from({ length: contexts }, (_, t) => logits(t, bias));
  for (const [index, id] of tokenIds.entries()) {
    const logProbabilities = passes.map(({ z, normalizer }) => z[id]! - normalizer);
    const mean = logProbabilities.reduce((sum, value) => sum + value, 0) / contexts;
    const variance = logProbabilities.reduce((sum, value) => sum + (value - mean) ** 2, 0) / contexts;
    first += (encoding.observed[index]! + mean) ** 2;
    second += (encoding.observed[index]! + mean + variance / 2) ** 2;
    total += (encoding.observed[index]! - center) ** 2;
  }
  expect(meanField.r2).toBeCloseTo(1 - first / total, 10);
  expect(secondOrder.r2).toBeCloseTo(1 - second / total, 10);
  // To second order the cumulants of a log-probability give the logarithm of its mean: the theory itself.
  expect(secondOrder.r2).toBeGreaterThan(meanField.r2);
  expect(meanField.intercept).toBeCloseTo(statistics.sumLogNormalizer / contexts, 12);
});
