import { dot, norm } from "../linalg/dot.js";
import type { HeadStatistics } from "../statistics/head-statistics.js";
import type { Matrix } from "../tensor/matrix.js";
import type { BuiltInPrior, Encoding } from "./analysis.js";
import { spearman } from "./regression/ranks.js";

/** The biases that say something about a token whatever the context, and what they meet. */
export interface PriorInput {
  statistics: HeadStatistics;
  /** E, [V, d]. */
  embedding: Matrix<Float32Array>;
  /** b, [V], of heads that have one. */
  outputBias?: Float32Array | undefined;
  /** beta_n, [d], of models that end with a LayerNorm that has one. */
  normBias?: Float64Array | undefined;
}

/**
 * What a model says of its tokens before any context: b_w + E_w . beta_n (Kobayashi et al. 2023, Findings of ACL,
 * "Transformer Language Models Handle Word Frequency in Prediction Head"), held against -log alpha_w and the fit.
 * @returns undefined where neither the head nor the norm has a bias
 */
export function builtInPrior(input: PriorInput, encoding: Encoding): BuiltInPrior | undefined {
  const { statistics, embedding, outputBias, normBias } = input;
  if (outputBias === undefined && normBias === undefined) return undefined;
  const { tokenIds, observed, slopes, r2 } = encoding;
  const ofNorm = Float64Array.from(tokenIds, (w) => (normBias ? rowProduct(embedding, w, normBias) : 0));
  const prior = ofNorm.map((value, index) => -value - (outputBias?.[tokenIds[index]!] ?? 0));
  const alone = { r2: correlation(observed, prior) ** 2, spearman: spearman(observed, prior) };
  if (normBias === undefined) return alone;
  const meanHidden = statistics.sumHidden.map((value) => value / statistics.contexts);
  const negative = normBias.map((value) => -value);
  const lengths = norm(slopes) * norm(negative);
  const ofAll = correlation(observed, ofNorm) ** 2;
  return {
    ...alone,
    cosine: lengths > 0 ? dot(slopes, 0, negative, 0, slopes.length) / lengths : 0,
    // Frisch & Waugh: -log alpha and E, both less what E . beta_n explains, leave the residuals of the whole fit.
    restR2: (r2 - ofAll) / (1 - ofAll),
    shareOfMean: dot(normBias, 0, meanHidden, 0, meanHidden.length) / norm(meanHidden) ** 2,
  };
}

function rowProduct({ data, columns }: Matrix<Float32Array>, row: number, vector: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < columns; i++) sum += data[row * columns + i]! * vector[i]!;
  return sum;
}

/** Pearson's. 0 if either side is constant. */
function correlation(a: Float64Array, b: Float64Array): number {
  const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [a, b].map((values) => {
    const middle = mean(values);
    return values.map((value) => value - middle);
  }) as [Float64Array, Float64Array];
  const lengths = norm(x) * norm(y);
  return lengths > 0 ? dot(x, 0, y, 0, x.length) / lengths : 0;
}
