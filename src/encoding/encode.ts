import type { Gram } from "../linalg/gram.js";
import type { MatrixProduct } from "../linalg/matrix-product.js";
import type { WeightedRows } from "../linalg/weighted-rows.js";
import { type HeadStatistics, meanProbability } from "../statistics/head-statistics.js";
import type { Matrix } from "../tensor/matrix.js";
import type { Analysis } from "./analysis.js";
import { fitEncodingWithMoments } from "./fit-encoding.js";
import { concentration } from "./sparsity/concentration.js";
import { sparsity } from "./sparsity/sparsity.js";
import { theory } from "./theory.js";
import { fitWarnings } from "./uncertainty/fit-warnings.js";
import { r2Uncertainty } from "./uncertainty/r2-uncertainty.js";

export interface EncodeInput {
  statistics: HeadStatistics;
  /** E, [V, d]. */
  embedding: Matrix<Float32Array>;
  /** b, [V], of heads that have one. */
  outputBias?: Float32Array | undefined;
  /** beta_n, [d], of models that end with a LayerNorm that has one. */
  normBias?: Float64Array | undefined;
  /** Rows of E to regress on: all that are not padding. */
  tokenIds: Int32Array;
  /** Of the random orders of the dimensions, and of the windows that are drawn for R2's interval. */
  seed: number;
  /** What multiplies the matrices; plain JavaScript if left out. */
  gram?: Gram | undefined;
  weighted?: WeightedRows | undefined;
  product?: MatrixProduct | undefined;
}

/**
 * All that METHOD.md sections 1 and 2 read from one pass over a text: the fit, the theory, how concentrated the output is,
 * and how few dimensions carry the encoding. The same input gives the same bytes.
 * @throws InputError if the regression is impossible or a number is not finite
 */
export async function encode(
  input: EncodeInput,
): Promise<Pick<Analysis, "encoding" | "uncertainty" | "warnings" | "theory" | "concentration" | "sparsity">> {
  const { statistics, embedding, outputBias, normBias, tokenIds, seed, gram, weighted, product } = input;
  const alpha = meanProbability(statistics);
  const { encoding, regression } = await fitEncodingWithMoments({ embedding, tokenIds, meanProbability: alpha, gram });
  const { groups } = statistics;
  const refits = { embedding, tokenIds, leastSquares: regression.leastSquares, groups, weighted };
  const uncertainty = await r2Uncertainty(refits, encoding.r2, seed);
  return {
    encoding,
    uncertainty,
    warnings: fitWarnings(statistics, uncertainty),
    theory: await theory({ statistics, embedding, outputBias, normBias }, encoding, product),
    concentration: concentration(statistics),
    sparsity: sparsity({ embedding, encoding, regression, seed }),
  };
}
