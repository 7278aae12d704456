import type { Analysis } from "../../src/encoding/analysis.js";

/**
 * A made-up analysis with the shape of a real one: tokens with Zipf-like probabilities that a linear readout gets
 * nearly right. The same arguments give the same numbers.
 */
export function plausibleAnalysis({
  vocabSize = 500,
  hiddenSize = 16,
  tokens = Array.from({ length: vocabSize }, (_, id) => (id % 2 ? ` word${id}` : `part${id}`)),
} = {}): Analysis {
  const random = uniform(1);
  const normal = () => Math.sqrt(-2 * Math.log(random() || 1e-9)) * Math.cos(2 * Math.PI * random());
  const componentCount = Math.min(8, hiddenSize);
  const fitted = Float64Array.from({ length: vocabSize }, () => 9 + 1.6 * normal());
  const observed = fitted.map((value) => value + 0.4 * normal());
  const total = observed.reduce((sum, value) => sum + Math.exp(-value), 0);
  for (let i = 0; i < vocabSize; i++) {
    observed[i]! += Math.log(total);
    fitted[i]! += Math.log(total);
  }
  const saliency = Float64Array.from({ length: hiddenSize }, (_, i) => 0.3 / (1 + ((i * 7) % hiddenSize)));
  const order = Int32Array.from(saliency.keys()).sort((a, b) => saliency[b]! - saliency[a]!);
  const saliencySum = saliency.reduce((sum, value) => sum + value, 0);
  let held = 0;
  const lorenz = saliency
    .slice()
    .sort()
    .map((value) => {
      held += value;
      return held / saliencySum;
    });
  const contexts = 10_000;
  const ks = [1, 2, 4, 8, hiddenSize];
  return {
    model: {
      name: "made-up",
      modelType: "gpt2",
      vocabSize,
      hiddenSize,
      tied: true,
      hasOutputBias: false,
      paddingRows: 0,
      dtype: "F16",
    },
    corpus: {
      files: [{ name: "books.txt", bytes: 123_456 }],
      contextLength: 256,
      windows: 40,
      contexts,
      beginOfText: false,
    },
    tokens,
    statistics: {
      windows: 40,
      contexts,
      sumProbability: observed.map((value) => contexts * Math.exp(-value)),
      sumHidden: new Float64Array(hiddenSize),
      sumHiddenOuter: new Float64Array(hiddenSize * hiddenSize),
      sumLogNormalizerHidden: new Float64Array(hiddenSize),
      sumLogNormalizer: 9 * contexts,
      sumLogNormalizerSquared: 82 * contexts,
      sumEntropy: 4.5 * contexts,
      sumLogitDeviation: 1.9 * contexts,
      sumTopMass: { "1": 2300, "10": 5300, "100": 7700 },
      tokenCounts: observed.map((value) => Math.round(contexts * Math.exp(-value))),
      groups: { contexts: new Float64Array(16).fill(contexts / 16), sumProbability: new Float64Array(16 * vocabSize) },
    },
    encoding: {
      tokenIds: Int32Array.from(observed.keys()),
      observed,
      fitted,
      slopes: saliency.map((value, i) => (i % 2 ? value : -value)),
      standardErrors: saliency.map(() => 0.01),
      tValues: saliency.map((value) => value / 0.01),
      pValues: saliency.map(() => 0.001),
      intercept: 6.85,
      interceptStandardError: 0.02,
      r2: 0.93,
      adjustedR2: 0.929,
      residualStandardError: 0.4,
      fStatistic: 434.2,
      fPValue: 0,
      degreesOfFreedom: { model: hiddenSize, residual: vocabSize - hiddenSize - 1 },
      rank: hiddenSize,
      conditionNumber: 31,
      crossValidatedR2: 0.92,
      spearman: 0.94,
    },
    uncertainty: {
      r2Interval: { low: 0.924, high: 0.936, level: 0.95, groups: 16, resamples: 200 },
      r2Curve: [1, 2, 4, 8, 16].map((groups, i) => ({
        contexts: (contexts * groups) / 16,
        r2: 0.9 + 0.0075 * i,
        low: 0.88 + 0.0125 * i,
        high: 0.91 + 0.005 * i,
        subsets: 16 / groups,
      })),
    },
    warnings: [],
    theory: { meanField: { r2: -0.6, cosine: 0.06, intercept: 9 }, secondOrder: { r2: 0.84 }, prior: undefined },
    concentration: { logitStandardDeviation: 1.9, entropy: 4.5, topMass: { "1": 0.23, "10": 0.53, "100": 0.77 } },
    sparsity: {
      saliency,
      order,
      lorenz,
      gini: 0.46,
      dimensionsFor: {
        "50": Math.ceil(hiddenSize / 5),
        "80": Math.ceil(hiddenSize / 2),
        "90": Math.ceil(hiddenSize / 1.6),
        "95": Math.ceil(hiddenSize / 1.3),
      },
      refits: ks.map((k, i) => ({
        k,
        topK: 0.55 + 0.095 * i,
        randomK: { mean: 0.3 + 0.15 * i, low: 0.2 + 0.17 * i, high: 0.5 + 0.1 * i },
        principalComponents: 0.6 + 0.08 * i,
      })),
      varianceShare: Float64Array.from({ length: hiddenSize }, (_, i) => 0.3 / (i + 1)),
      scores: Float64Array.from(
        { length: vocabSize * componentCount },
        (_, i) => normal() / (1 + (i % componentCount)),
      ),
      componentCount,
    },
    seed: 0,
    threads: 2,
    seconds: { pass: 1.3, total: 2.4 },
    tokensPerSecond: 17_700,
  };
}

/** Uniform numbers in [0, 1): mulberry32. */
function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
