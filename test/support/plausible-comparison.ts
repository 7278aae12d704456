import type { Comparison } from "../../src/compare/comparison.js";
import { seededRandom } from "../../src/linalg/random.js";
import type { Spread } from "../../src/measures/context-values.js";

const vocabSize = 500;
const contexts = 4000;

/** A made-up comparison with the shape of a real one: Zipf-like tokens, of which two moved far. @param token texts */
export function plausibleComparison(
  tokens: readonly string[] = Array.from({ length: vocabSize }, (_, id) => (id % 2 ? ` word${id}` : `part${id}`)),
): Comparison {
  const random = seededRandom(3);
  const a = normalised(Float64Array.from({ length: vocabSize }, (_, id) => 1 / (id + 2)));
  const b = normalised(
    a.map((alpha, id) => alpha * (id === 10 ? 5 : id === 20 ? 0.1 : Math.exp(0.1 * (random() - 0.5)))),
  );
  const kl = Float32Array.from({ length: contexts }, (_, t) => (t % 50 ? Math.exp(8 * random() - 8) : 0));
  return {
    models: {
      a: { name: "made-up", modelType: "gpt2", rows: vocabSize, hiddenSize: 16, dtype: "F16" },
      b: { name: "made-up-edited", modelType: "gpt2", rows: vocabSize, hiddenSize: 16, dtype: "F16" },
    },
    vocabSize,
    corpus: {
      files: [{ name: "books.txt", bytes: 123_456 }],
      contextLength: 256,
      windows: 16,
      contexts,
      beginOfText: false,
    },
    kl: spread(kl),
    reverseKl: spread(kl.map((value) => 1.2 * value)),
    js: spread(kl.map((value) => value / 5)),
    top1Agreement: 0.9635,
    perplexity: { a: 76.5, b: 77.2 },
    predictedTokens: 3984,
    meanProbability: { a, b },
    perContext: { kl, reverseKl: kl.map((value) => 1.2 * value), js: kl.map((value) => value / 5) },
    tokens: Array.from({ length: vocabSize }, (_, id) => tokens[id % tokens.length]!),
    tokenIds: Int32Array.from({ length: vocabSize }, (_, id) => id),
    threads: 2,
    seconds: 3.4,
    tokensPerSecond: 1200,
  };
}

function normalised(values: Float64Array): Float64Array {
  const total = values.reduce((sum, value) => sum + value, 0);
  return values.map((value) => value / total);
}

function spread(values: Float32Array): Spread {
  const rising = values.slice().sort();
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, percentile95: rising[Math.floor(0.95 * rising.length)]!, max: rising.at(-1)! };
}
