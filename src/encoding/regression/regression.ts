import { InputError } from "../../errors.js";
import { dot } from "../../linalg/dot.js";
import { type Gram, gram as plainGram } from "../../linalg/gram.js";
import { type FoldMoments, foldMembers, foldMoments, foldTriangles, type Rows } from "./fold-moments.js";
import { fromMoments, fromTriangle, type LeastSquares, negligibleNorms } from "./least-squares.js";
import { spearman } from "./ranks.js";

/** One response regressed on the rows of E, with intercept. */
export interface Fit {
  /** A, [d]. */
  slopes: Float64Array;
  /** B. */
  intercept: number;
  /** A . E_w + B, [R]. */
  fitted: Float64Array;
  residualSumOfSquares: number;
  /** About the mean. */
  totalSumOfSquares: number;
  r2: number;
  adjustedR2: number;
  /** 10-fold, token w in fold w mod 10: 1 - (sum of squared held-out errors) / (total sum of squares). */
  crossValidatedR2: number;
  /** Rank correlation of fitted against the response. */
  spearman: number;
}

export interface Regression {
  fits: Fit[];
  /** R - rank - 1. */
  residualDegrees: number;
  leastSquares: LeastSquares;
  /** Ratio of the extreme singular values of the centred, column-scaled E (of its independent columns). */
  conditionNumber: number;
  moments: FoldMoments;
}

/**
 * Cross products lose the square of the condition: up to here the inverse keeps six digits and refinement from the
 * residuals restores the slopes to all of theirs.
 */
const largestCondition = 1e5;

/** Each step of refinement gains about as many digits as the first solution had. */
const refinements = 2;

/**
 * Ordinary least squares with intercept of several responses on the same rows of E, all from one pass of products
 * (METHOD.md sections 1 and 5), with 10-fold cross-validation.
 *
 * Cholesky on the centred, scaled cross products, its slopes refined by residuals computed from the rows themselves
 * (corrected semi-normal equations: Bjorck, Numerical Methods for Least Squares Problems, 6.6.5); where the columns are
 * too nearly dependent for that, QR of the rows with column pivoting.
 * @throws InputError if a number is not finite, a response is constant, or there are fewer than d + 2 tokens
 */
export async function regress(rows: Rows, gram: Gram = plainGram): Promise<Regression> {
  const { embedding, tokenIds, responses } = rows;
  if (tokenIds.length < embedding.columns + 2) {
    throw new InputError(
      "output embedding",
      `${tokenIds.length} tokens are too few for a regression on d = ${embedding.columns} dimensions; it needs at least d + 2`,
    );
  }
  const moments = await foldMoments(rows, gram);
  const { leastSquares, conditionNumber, heldOutSquares } = solve(rows, moments);
  if (leastSquares.rank === 0) throw new InputError("output embedding", "all rows are the same: nothing to regress on");
  const residualDegrees = tokenIds.length - leastSquares.rank - 1;
  const fits = responses.map((response, r): Fit => {
    const { slopes, intercept, fitted } = refine(rows, leastSquares, r);
    const residualSumOfSquares = sumOfSquares(response, (index) => fitted[index]!);
    const mean = moments.shift[embedding.columns + r]!;
    const totalSumOfSquares = sumOfSquares(response, () => mean);
    if (!(totalSumOfSquares > response.length * (16 * Number.EPSILON * mean) ** 2)) {
      throw new InputError("regression", "the response is the same for all tokens: nothing to explain");
    }
    return {
      slopes,
      intercept,
      fitted,
      residualSumOfSquares,
      totalSumOfSquares,
      r2: 1 - residualSumOfSquares / totalSumOfSquares,
      adjustedR2: 1 - residualSumOfSquares / residualDegrees / (totalSumOfSquares / (response.length - 1)),
      crossValidatedR2: 1 - heldOutSquares[r]! / totalSumOfSquares,
      spearman: spearman(fitted, response),
    };
  });
  return { fits, residualDegrees, leastSquares, conditionNumber, moments };
}

interface Solved {
  leastSquares: LeastSquares;
  conditionNumber: number;
  /** Sum of the squared held-out errors of every response. */
  heldOutSquares: Float64Array;
}

function solve(rows: Rows, moments: FoldMoments): Solved {
  return solveByMoments(rows, moments) ?? solveByTriangles(rows, moments);
}

function solveByMoments(rows: Rows, moments: FoldMoments): Solved | undefined {
  const negligible = negligibleNorms(moments);
  const leastSquares = fromMoments(moments.total, moments, negligible);
  const conditionNumber = leastSquares?.conditionNumber();
  if (!leastSquares || !conditionNumber || !(conditionNumber <= largestCondition)) return undefined;
  const heldOutSquares = new Float64Array(moments.responses);
  for (const [k, members] of foldMembers(rows.tokenIds).entries()) {
    if (members.length === 0) continue;
    const rest = moments.total.map((value, p) => value - moments.folds[k]![p]!);
    checkTraining(rest[0]!);
    const training = fromMoments(rest, moments, negligible);
    if (!training) return undefined;
    addHeldOut(heldOutSquares, rows, members, training);
  }
  return { leastSquares, conditionNumber, heldOutSquares };
}

function solveByTriangles(rows: Rows, moments: FoldMoments): Solved {
  const negligible = negligibleNorms(moments);
  const { total, leavingOut } = foldTriangles(rows, moments.shift);
  const leastSquares = fromTriangle(total, moments, negligible, rows.tokenIds.length);
  const heldOutSquares = new Float64Array(moments.responses);
  for (const [k, members] of foldMembers(rows.tokenIds).entries()) {
    if (members.length === 0) continue;
    const count = rows.tokenIds.length - members.length;
    checkTraining(count);
    const training = fromTriangle(leavingOut[k]!, moments, negligible, count);
    addHeldOut(heldOutSquares, rows, members, training);
  }
  return { leastSquares, conditionNumber: leastSquares.conditionNumber(), heldOutSquares };
}

function checkTraining(count: number): void {
  if (count < 1) throw new InputError("token ids", "all are in one fold (id mod 10): cross-validation is impossible");
}

function addHeldOut(sums: Float64Array, rows: Rows, members: Int32Array, training: LeastSquares): void {
  for (const [r, response] of rows.responses.entries()) {
    const slopes = training.slopes[r]!;
    for (const index of members) {
      const error = response[index]! - predict(rows, index, slopes, training.intercepts[r]!);
      sums[r]! += error * error;
    }
  }
}

interface Line {
  slopes: Float64Array;
  intercept: number;
  /** [R]. */
  fitted: Float64Array;
}

/** Adds to the slopes the regression of the residuals that they leave, computed in float64 from the rows themselves. */
function refine(rows: Rows, leastSquares: LeastSquares, r: number): Line {
  const { columns } = rows.embedding;
  const response = rows.responses[r]!;
  const slopes = leastSquares.slopes[r]!.slice();
  let intercept = leastSquares.intercepts[r]!;
  const fitted = new Float64Array(response.length);
  for (let step = 0; ; step++) {
    const gradient = new Float64Array(columns);
    let residualSum = 0;
    for (let index = 0; index < response.length; index++) {
      fitted[index] = predict(rows, index, slopes, intercept);
      const residual = response[index]! - fitted[index]!;
      residualSum += residual;
      addCentredRow(gradient, rows, index, leastSquares.means, residual);
    }
    if (!leastSquares.refinable || step === refinements) return { slopes, intercept, fitted };
    const change = leastSquares.applyInverse(gradient);
    for (let j = 0; j < columns; j++) slopes[j]! += change[j]!;
    intercept += residualSum / response.length - dot(change, 0, leastSquares.means, 0, columns);
  }
}

/** A . E_w + B for the token at a position of tokenIds. */
function predict({ embedding, tokenIds }: Rows, index: number, slopes: Float64Array, intercept: number): number {
  const { columns, data } = embedding;
  const row = tokenIds[index]! * columns;
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let j = 0;
  for (; j + 3 < columns; j += 4) {
    s0 += data[row + j]! * slopes[j]!;
    s1 += data[row + j + 1]! * slopes[j + 1]!;
    s2 += data[row + j + 2]! * slopes[j + 2]!;
    s3 += data[row + j + 3]! * slopes[j + 3]!;
  }
  for (; j < columns; j++) s0 += data[row + j]! * slopes[j]!;
  return s0 + s1 + (s2 + s3) + intercept;
}

function addCentredRow(
  sums: Float64Array,
  { embedding, tokenIds }: Rows,
  index: number,
  means: Float64Array,
  factor: number,
): void {
  const { columns, data } = embedding;
  const row = tokenIds[index]! * columns;
  for (let j = 0; j < columns; j++) sums[j]! += factor * (data[row + j]! - means[j]!);
}

function sumOfSquares(values: Float64Array, about: (index: number) => number): number {
  let sum = 0;
  for (let index = 0; index < values.length; index++) sum += (values[index]! - about(index)) ** 2;
  return sum;
}
