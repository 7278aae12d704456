import type { Gram } from "../linalg/gram.js";
import { type HeadStatistics, meanProbability } from "../statistics/head-statistics.js";
import type { Matrix } from "../tensor/matrix.js";
import type { Analysis } from "./analysis.js";
import { concentration } from "./concentration.js";
import { fitEncodingWithMoments } from "./fit-encoding.js";
import { sparsity } from "./sparsity.js";
import { theory } from "./theory.js";

export interface EncodeInput {
  statistics: HeadStatistics;
  /** E, [V, d]. */
  embedding: Matrix<Float32Array>;
  /** b, [V], of heads that have one. */
  outputBias?: Float32Array | undefined;
  /** Rows of E to regress on: all that are not padding. */
  tokenIds: Int32Array;
  /** Of the random orders of the dimensions. */
  seed: number;
  /** What multiplies the matrices; plain JavaScript if left out. */
  gram?: Gram | undefined;
}

/**
 * All that METHOD.md sections 1 and 2 read from one pass over a text: the fit, the theory, how concentrated the output is,
 * and how few dimensions carry the encoding. The same input gives the same bytes.
 * @throws InputError if the regression is impossible or a number is not finite
 */
export async function encode(
  input: EncodeInput,
): Promise<Pick<Analysis, "encoding" | "theory" | "concentration" | "sparsity">> {
  const { statistics, embedding, outputBias, tokenIds, seed, gram } = input;
  const alpha = meanProbability(statistics);
  const { encoding, regression } = await fitEncodingWithMoments({ embedding, tokenIds, meanProbability: alpha, gram });
  return {
    encoding,
    theory: theory({ statistics, embedding, outputBias }, encoding),
    concentration: concentration(statistics),
    sparsity: sparsity({ embedding, encoding, regression, seed }),
  };
}
