import { type FoldMoments, foldCount, foldMoments, type Rows } from "../../encoding/regression/fold-moments.js";
import { fromMoments, type LeastSquares, negligibleNorms } from "../../encoding/regression/least-squares.js";
import { spearman } from "../../encoding/regression/ranks.js";
import { regress } from "../../encoding/regression/regression.js";
import { InputError } from "../../errors.js";
import { dot } from "../../linalg/dot.js";
import type { Gram } from "../../linalg/gram.js";
import { leaveFoldsOut, type TrainingLine } from "./leave-folds-out.js";

/** One response regressed on E by least squares with intercept. */
export interface ProbeFit {
  r2: number;
  adjustedR2: number;
  /** 10-fold, token w in fold w mod 10: 1 - (sum of squared held-out errors) / (total sum of squares). */
  crossValidatedR2: number;
  /** Rank correlation of fitted against the response. */
  spearman: number;
  slopes: Float64Array;
  intercept: number;
  /** A . E_w + B, [R]. */
  fitted: Float64Array;
  /** Squared error of every token under the fit that leaves its fold out, [R]. */
  heldOutSquares: Float64Array;
}

export interface ProbeRegression {
  fits: ProbeFit[];
  moments: FoldMoments;
  /** Number of columns of the centred E that are independent. */
  rank: number;
  conditionNumber: number;
}

/** As in the encoding's own regression: beyond it, cross products have lost too many digits. */
const largestCondition = 1e5;

/** Regressions of the residuals, each of which gains about as many digits as the first solution had. */
const refinements = 2;

/**
 * Regressions of several responses on the rows of E with one pass of products and one factorisation, made for heads as
 * wide as those of large models: what leaves each fold out is found from the whole's factor instead of one of its own.
 * Where E is too ill-conditioned for that, the encoding's own regression (QR) takes over.
 * @throws InputError if a number is not finite, a response is constant, or there are fewer than d + 2 tokens
 */
export async function probeRegression(rows: Rows, multiply: Gram): Promise<ProbeRegression> {
  const { embedding, tokenIds } = rows;
  // The last block of a fold fills only the start of its array, and an engine takes an array as a whole.
  const gram: Gram = (block, count, columns) => multiply(block.subarray(0, count * columns), count, columns);
  if (tokenIds.length < embedding.columns + 2) {
    throw new InputError(
      "output embedding",
      `${tokenIds.length} tokens are too few for a regression on d = ${embedding.columns} dimensions; it needs at least d + 2`,
    );
  }
  const moments = await foldMoments(rows, gram);
  const leastSquares = fromMoments(moments.total, moments, negligibleNorms(moments));
  const conditionNumber = leastSquares?.conditionNumber();
  if (!leastSquares || !conditionNumber || !(conditionNumber <= largestCondition) || leastSquares.rank === 0) {
    return byTriangles(rows, gram);
  }
  const training = leaveFoldsOut(moments, leastSquares);
  if (training === undefined) return byTriangles(rows, gram);
  const lines = refined(rows, leastSquares);
  return {
    fits: rows.responses.map((response, r) => {
      const { fitted, heldOutSquares } = predictions(rows, r, lines[r]!, training);
      return { ...fitOf(response, fitted, heldOutSquares, leastSquares.rank), ...lines[r]! };
    }),
    moments,
    rank: leastSquares.rank,
    conditionNumber,
  };
}

async function byTriangles(rows: Rows, gram: Gram): Promise<ProbeRegression> {
  const { fits, leastSquares, conditionNumber, moments } = await regress(rows, gram);
  return {
    fits: fits.map((fit, r) => {
      // It gives only the sum of the held-out errors: each token's share is taken as that of its residual.
      const inflation = ((1 - fit.crossValidatedR2) * fit.totalSumOfSquares) / fit.residualSumOfSquares;
      const heldOutSquares = fit.fitted.map((value, index) => inflation * (rows.responses[r]![index]! - value) ** 2);
      return { ...fit, heldOutSquares };
    }),
    moments,
    rank: leastSquares.rank,
    conditionNumber,
  };
}

interface Line {
  slopes: Float64Array;
  intercept: number;
}

/** Slopes corrected by the regression of the residuals that they leave, from the rows themselves (Bjorck, 6.6.5). */
function refined(rows: Rows, leastSquares: LeastSquares): Line[] {
  const { embedding, tokenIds, responses } = rows;
  const { columns, data } = embedding;
  const lines = responses.map((_, r) => ({
    slopes: leastSquares.slopes[r]!.slice(),
    intercept: leastSquares.intercepts[r]!,
  }));
  const row = new Float64Array(columns);
  for (let step = 0; step < refinements; step++) {
    const gradients = responses.map(() => new Float64Array(columns));
    const sums = responses.map(() => 0);
    for (let index = 0; index < tokenIds.length; index++) {
      readRow(row, data, tokenIds[index]! * columns);
      for (const [r, line] of lines.entries()) {
        const residual = responses[r]![index]! - dot(row, 0, line.slopes, 0, columns) - line.intercept;
        const gradient = gradients[r]!;
        sums[r]! += residual;
        for (let j = 0; j < columns; j++) gradient[j]! += residual * row[j]!;
      }
    }
    for (const [r, line] of lines.entries()) {
      const gradient = gradients[r]!.map((value, j) => value - sums[r]! * leastSquares.means[j]!);
      const change = leastSquares.applyInverse(gradient);
      for (let j = 0; j < columns; j++) line.slopes[j]! += change[j]!;
      line.intercept += sums[r]! / tokenIds.length - dot(change, 0, leastSquares.means, 0, columns);
    }
  }
  return lines;
}

function predictions(
  { embedding, tokenIds, responses }: Rows,
  r: number,
  line: Line,
  training: readonly (TrainingLine[] | undefined)[],
): { fitted: Float64Array; heldOutSquares: Float64Array } {
  const { columns, data } = embedding;
  const row = new Float64Array(columns);
  const fitted = new Float64Array(tokenIds.length);
  const heldOutSquares = new Float64Array(tokenIds.length);
  for (const [index, id] of tokenIds.entries()) {
    readRow(row, data, id * columns);
    fitted[index] = dot(row, 0, line.slopes, 0, columns) + line.intercept;
    const trained = training[id % foldCount]![r]!;
    heldOutSquares[index] = (responses[r]![index]! - dot(row, 0, trained.slopes, 0, columns) - trained.intercept) ** 2;
  }
  return { fitted, heldOutSquares };
}

function fitOf(response: Float64Array, fitted: Float64Array, heldOutSquares: Float64Array, rank: number) {
  const mean = sum(response) / response.length;
  const totalSquares = sum(response.map((value) => (value - mean) ** 2));
  if (!(totalSquares > response.length * (16 * Number.EPSILON * mean) ** 2)) {
    throw new InputError("frequencies", "are the same for all tokens: nothing to explain");
  }
  const residualSquares = sum(response.map((value, index) => (value - fitted[index]!) ** 2));
  const degrees = response.length - rank - 1;
  return {
    r2: 1 - residualSquares / totalSquares,
    adjustedR2: 1 - residualSquares / degrees / (totalSquares / (response.length - 1)),
    crossValidatedR2: 1 - sum(heldOutSquares) / totalSquares,
    spearman: spearman(fitted, response),
    fitted,
    heldOutSquares,
  };
}

function readRow(row: Float64Array, data: Float32Array, start: number): void {
  for (let j = 0; j < row.length; j++) row[j] = data[start + j]!;
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
