import { InputError } from "../errors.js";
import { dot } from "../linalg/dot.js";
import type { Gram } from "../linalg/gram.js";
import type { Matrix } from "../tensor/matrix.js";
import type { Encoding } from "./analysis.js";
import { fisherUpperTail, studentTwoSided } from "./regression/distributions.js";
import { type Regression, regress } from "./regression/regression.js";

export interface EncodingInput {
  /** E, [V, d]. */
  embedding: Matrix<Float32Array>;
  /** Rows of E to regress on: all that are not padding. */
  tokenIds: Int32Array;
  /** alpha, [V]. */
  meanProbability: Float64Array;
  /** What multiplies the matrices; plain JavaScript if left out. */
  gram?: Gram | undefined;
}

/**
 * The log-linear encoding -log alpha_w ~= A . E_w + B by ordinary least squares (METHOD.md section 1).
 * @throws InputError if there are fewer than d + 2 tokens, an alpha is not a positive number, or a number of E is not finite
 */
export async function fitEncoding(input: EncodingInput): Promise<Encoding> {
  return (await fitEncodingWithMoments(input)).encoding;
}

/** The encoding together with the regression that it comes from, whose cross products serve further fits. */
export async function fitEncodingWithMoments({
  embedding,
  tokenIds,
  meanProbability,
  gram,
}: EncodingInput): Promise<{ encoding: Encoding; regression: Regression }> {
  if (meanProbability.length !== embedding.rows) {
    throw new InputError("mean probability", `has ${meanProbability.length} tokens, the embedding ${embedding.rows}`);
  }
  const observed = Float64Array.from(tokenIds, (id) => -Math.log(positive(meanProbability[id], id)));
  const regression = await regress({ embedding, tokenIds, responses: [observed] }, gram);
  return { encoding: encodingOf(regression, tokenIds, observed), regression };
}

function positive(probability: number | undefined, id: number): number {
  if (probability !== undefined && probability > 0 && probability < Number.POSITIVE_INFINITY) return probability;
  throw new InputError(
    "mean probability",
    `token ${id} has ${probability}, not a positive number: it has no logarithm`,
  );
}

function encodingOf(
  { fits, leastSquares, residualDegrees, conditionNumber }: Regression,
  tokenIds: Int32Array,
  observed: Float64Array,
): Encoding {
  const fit = fits[0]!;
  const { rank, means } = leastSquares;
  const variance = fit.residualSumOfSquares / residualDegrees;
  const standardErrors = leastSquares.inverseDiagonal().map((value) => Math.sqrt(variance * value));
  const tValues = fit.slopes.map((slope, i) => (slope === 0 ? 0 : slope / standardErrors[i]!));
  const meanVariance = 1 / tokenIds.length + dot(leastSquares.applyInverse(means), 0, means, 0, means.length);
  const fStatistic = (fit.totalSumOfSquares - fit.residualSumOfSquares) / rank / variance;
  return {
    tokenIds,
    observed,
    fitted: fit.fitted,
    slopes: fit.slopes,
    standardErrors,
    tValues,
    pValues: tValues.map((t) => studentTwoSided(t, residualDegrees)),
    intercept: fit.intercept,
    interceptStandardError: Math.sqrt(variance * meanVariance),
    r2: fit.r2,
    adjustedR2: fit.adjustedR2,
    residualStandardError: Math.sqrt(variance),
    fStatistic,
    fPValue: fisherUpperTail(fStatistic, rank, residualDegrees),
    degreesOfFreedom: { model: rank, residual: residualDegrees },
    rank,
    conditionNumber,
    crossValidatedR2: fit.crossValidatedR2,
    spearman: fit.spearman,
  };
}
