import { type FoldMoments, packedIndex } from "../../encoding/regression/fold-moments.js";
import { type LeastSquares, negligibleNorms } from "../../encoding/regression/least-squares.js";
import { dot } from "../../linalg/dot.js";

/** Relative size of the gradient, in the metric of the preconditioner, at which a solution is exact for every purpose. */
const settled = 1e-11;

/** A fold that needs more steps than this is nothing like the rest; with few columns, exact after one step for each. */
const maxSteps = 200;

/** The regression on all rows but those of one fold. */
export interface TrainingLine {
  slopes: Float64Array;
  intercept: number;
}

/**
 * What leaves each fold out, for every response, from the factor of the whole: conjugate gradients on the cross products
 * less the fold's, preconditioned by the inverse of all of them (Golub & Van Loan, 11.5). A fold is a tenth of the rows,
 * so a dozen steps of 2 d^2 work do what a factorisation of d^3 / 3 would.
 * @returns [fold][response], no entry for a fold without rows; undefined if one does not converge, or if what is left does
 * not determine the slopes: a column that varies in one fold only, fewer rows than columns
 */
export function leaveFoldsOut(
  moments: FoldMoments,
  whole: Pick<LeastSquares, "slopes" | "applyInverse">,
): (TrainingLine[] | undefined)[] | undefined {
  const negligible = negligibleNorms(moments);
  const lines: (TrainingLine[] | undefined)[] = [];
  for (const fold of moments.folds) {
    if (fold[0] === 0) {
      lines.push(undefined);
      continue;
    }
    const trained = determines(moments, fold, negligible) ? leaveOut(moments, fold, whole) : undefined;
    if (trained === undefined) return undefined;
    lines.push(trained);
  }
  return lines;
}

function determines({ total, columns }: FoldMoments, fold: Float64Array, negligible: Float64Array): boolean {
  const rows = total[0]! - fold[0]!;
  const left = (i: number, j: number) => total[packedIndex(i, j)]! - fold[packedIndex(i, j)]!;
  const varies = (i: number, sums: (i: number, j: number) => number, count: number) =>
    sums(i + 1, i + 1) - sums(i + 1, 0) ** 2 / count > negligible[i]!;
  const before = (i: number, j: number) => total[packedIndex(i, j)]!;
  return rows > columns + 1 && negligible.every((_, i) => varies(i, left, rows) || !varies(i, before, total[0]!));
}

function leaveOut(
  { total, columns, responses, shift }: FoldMoments,
  fold: Float64Array,
  whole: Pick<LeastSquares, "slopes" | "applyInverse">,
): TrainingLine[] | undefined {
  const rows = total[0]! - fold[0]!;
  const rest = (i: number, j: number) => total[packedIndex(i, j)]! - fold[packedIndex(i, j)]!;
  const sums = Float64Array.from({ length: columns }, (_, j) => rest(j + 1, 0));
  const multiply = (v: Float64Array): Float64Array => {
    const product = restProduct(total, fold, columns, v);
    const factor = dot(sums, 0, v, 0, columns) / rows;
    for (let j = 0; j < columns; j++) product[j]! -= factor * sums[j]!;
    return product;
  };
  const lines: TrainingLine[] = [];
  for (let r = 0; r < responses; r++) {
    const y = columns + r + 1;
    const meanY = rest(y, 0) / rows;
    const right = Float64Array.from({ length: columns }, (_, j) => rest(y, j + 1) - meanY * sums[j]!);
    const slopes = conjugateGradients(multiply, whole.applyInverse, right, whole.slopes[r]!);
    if (slopes === undefined) return undefined;
    // Means about the shift, then about zero.
    const intercept =
      meanY + shift[columns + r]! - dot(slopes, 0, sums, 0, columns) / rows - dot(slopes, 0, shift, 0, columns);
    lines.push({ slopes, intercept });
  }
  return lines;
}

/** (T - F) v for the columns' part of two packed lower triangles. */
function restProduct(total: Float64Array, fold: Float64Array, columns: number, v: Float64Array): Float64Array {
  const product = new Float64Array(columns);
  for (let i = 0; i < columns; i++) {
    const start = packedIndex(i + 1, 1);
    const factor = v[i]!;
    let sum = 0;
    for (let j = 0; j < i; j++) {
      const value = total[start + j]! - fold[start + j]!;
      sum += value * v[j]!;
      product[j]! += value * factor;
    }
    product[i]! += sum + (total[start + i]! - fold[start + i]!) * factor;
  }
  return product;
}

/** x with multiply(x) = right, starting from a guess. @returns undefined if it does not settle */
function conjugateGradients(
  multiply: (v: Float64Array) => Float64Array,
  precondition: (v: Float64Array) => Float64Array,
  right: Float64Array,
  guess: Float64Array,
): Float64Array | undefined {
  const n = right.length;
  const x = guess.slice();
  const residual = multiply(x);
  for (let j = 0; j < n; j++) residual[j] = right[j]! - residual[j]!;
  // The size of the right-hand side in the same metric is what the residual is compared with.
  const scale = dot(right, 0, precondition(right), 0, n);
  let direction = precondition(residual);
  let energy = dot(residual, 0, direction, 0, n);
  for (let step = 0; step <= maxSteps; step++) {
    if (!(energy > settled ** 2 * scale)) return Number.isFinite(energy) ? x : undefined;
    const image = multiply(direction);
    const length = energy / dot(direction, 0, image, 0, n);
    for (let j = 0; j < n; j++) {
      x[j]! += length * direction[j]!;
      residual[j]! -= length * image[j]!;
    }
    const next = precondition(residual);
    const nextEnergy = dot(residual, 0, next, 0, n);
    for (let j = 0; j < n; j++) next[j]! += (nextEnergy / energy) * direction[j]!;
    direction = next;
    energy = nextEnergy;
  }
  return undefined;
}
