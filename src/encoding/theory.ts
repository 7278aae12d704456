import { dot, norm } from "../linalg/dot.js";
import { type MatrixProduct, plainProduct } from "../linalg/matrix-product.js";
import type { HeadStatistics } from "../statistics/head-statistics.js";
import type { Encoding, Theory } from "./analysis.js";
import { builtInPrior, type PriorInput } from "./built-in-prior.js";

/** Rows of E taken to float64 together. */
const blockRows = 4096;

/**
 * What -log alpha_w should be by theory alone, held against what it is (METHOD.md section 1): -(E_w . mean(h) + b_w) + mean(L),
 * and to second order the same less half of Var_t(E_w . h_t - L_t).
 * @param product multiplies rows of E with cov(h); plain JavaScript if left out
 */
export async function theory(
  input: PriorInput,
  encoding: Encoding,
  product: MatrixProduct = plainProduct,
): Promise<Theory> {
  const { tokenIds, observed, slopes } = encoding;
  const { contexts, sumHidden, sumLogNormalizer } = input.statistics;
  const direction = sumHidden.map((value) => -value / contexts);
  const intercept = sumLogNormalizer / contexts;
  const { linear, variance } =
    transformedMoments(input.statistics, tokenIds) ?? (await logProbabilityMoments(input, tokenIds, product));
  const first = linear.map((logit) => intercept - logit);
  const second = first.map((value, index) => value - variance[index]! / 2);
  return {
    meanField: { r2: explained(observed, first), cosine: cosine(direction, slopes), intercept },
    secondOrder: { r2: explained(observed, second) },
    prior: builtInPrior(input, encoding),
  };
}

/** The same moments of a head whose logits are not linear in h, summed in the pass itself. */
function transformedMoments({ contexts, logitMoments, sumLogNormalizer }: HeadStatistics, tokenIds: Int32Array) {
  if (logitMoments === undefined) return undefined;
  const linear = Float64Array.from(tokenIds, (w) => logitMoments.sumLogit[w]! / contexts);
  const variance = Float64Array.from(tokenIds, (w) => {
    const mean = (logitMoments.sumLogit[w]! - sumLogNormalizer) / contexts;
    return logitMoments.sumSquaredLogProbability[w]! / contexts - mean * mean;
  });
  return { linear, variance };
}

/** Mean over contexts of the logit E_w . h_t + b_w, and variance of the log-probability E_w . h_t + b_w - L_t, [R] each. */
async function logProbabilityMoments(
  { statistics, embedding, outputBias }: PriorInput,
  tokenIds: Int32Array,
  product: MatrixProduct,
): Promise<{ linear: Float64Array; variance: Float64Array }> {
  const { contexts, sumHidden, sumLogNormalizer, sumLogNormalizerSquared, sumLogNormalizerHidden } = statistics;
  const { columns } = embedding;
  const meanHidden = sumHidden.map((value) => value / contexts);
  const meanL = sumLogNormalizer / contexts;
  const varianceL = sumLogNormalizerSquared / contexts - meanL * meanL;
  const covarianceL = sumLogNormalizerHidden.map((value, i) => value / contexts - meanL * meanHidden[i]!);
  const covariance = covarianceOf(statistics, meanHidden);
  const linear = new Float64Array(tokenIds.length);
  const variance = new Float64Array(tokenIds.length);
  const block = new Float64Array(Math.min(blockRows, tokenIds.length) * columns);
  for (let start = 0; start < tokenIds.length; start += blockRows) {
    const count = Math.min(blockRows, tokenIds.length - start);
    for (let r = 0; r < count; r++) {
      const from = tokenIds[start + r]! * columns;
      for (let j = 0; j < columns; j++) block[r * columns + j] = embedding.data[from + j]!;
    }
    const rows = block.subarray(0, count * columns);
    const spread = await product(rows, covariance, count, columns, columns);
    for (let r = 0; r < count; r++) {
      const bias = outputBias?.[tokenIds[start + r]!] ?? 0;
      linear[start + r] = dot(rows, r * columns, meanHidden, 0, columns) + bias;
      variance[start + r] =
        varianceL -
        2 * dot(rows, r * columns, covarianceL, 0, columns) +
        dot(rows, r * columns, spread, r * columns, columns);
    }
  }
  return { linear, variance };
}

/** cov(h), [d, d]. */
function covarianceOf({ contexts, sumHiddenOuter }: HeadStatistics, meanHidden: Float64Array): Float64Array {
  const columns = meanHidden.length;
  return sumHiddenOuter.map((sum, place) => {
    const i = Math.floor(place / columns);
    return sum / contexts - meanHidden[i]! * meanHidden[place - i * columns]!;
  });
}

/** 1 - (sum of squared errors) / (total sum of squares about the mean). */
function explained(observed: Float64Array, predicted: Float64Array): number {
  const mean = observed.reduce((sum, value) => sum + value, 0) / observed.length;
  let errors = 0;
  let total = 0;
  for (let i = 0; i < observed.length; i++) {
    errors += (observed[i]! - predicted[i]!) ** 2;
    total += (observed[i]! - mean) ** 2;
  }
  return 1 - errors / total;
}

/** 0 if either vector is zero. */
function cosine(a: Float64Array, b: Float64Array): number {
  const lengths = norm(a) * norm(b);
  return lengths > 0 ? dot(a, 0, b, 0, a.length) / lengths : 0;
}
