import { dot } from "../../linalg/dot.js";
import { type WeightedRows, weightedRows } from "../../linalg/weighted-rows.js";
import { groupCount, type HeadStatistics } from "../../statistics/head-statistics.js";
import type { Matrix } from "../../tensor/matrix.js";
import type { LeastSquares } from "../regression/least-squares.js";

/** Rows of E taken at a time; of very wide ones fewer, so that a block stays small beside E. */
const blockRows = 1024;
const maxBlockNumbers = 2 ** 22;

export interface RefitInput {
  /** E, [V, d]. */
  embedding: Matrix<Float32Array>;
  /** Rows of E regressed on, [R]. */
  tokenIds: Int32Array;
  /** Of those rows: its factor serves every response. */
  leastSquares: LeastSquares;
  groups: HeadStatistics["groups"];
  /** What multiplies the matrices; plain JavaScript if left out. */
  weighted?: WeightedRows | undefined;
}

/**
 * R2 of the regression of -log alpha on E for many choices of windows: of each, group g counts as often as its weight says.
 * Only the response changes, so that each choice costs one product with E, and one solution with the factor that is there:
 * with g = X'y of the centred rows, g' (X'X)^+ g of y'y is explained.
 * @param weights [16] each
 * @returns NaN where a token has probability 0 in all windows chosen
 */
export async function refitR2(input: RefitInput, weights: readonly Float64Array[]): Promise<Float64Array> {
  const { embedding, tokenIds, leastSquares } = input;
  const { columns: d } = embedding;
  const m = weights.length;
  const weighted: WeightedRows = input.weighted ?? (async (y, rows, count) => weightedRows(y, rows, count, d));
  const products = new Float64Array(m * d);
  const sums = new Float64Array(m);
  const squares = new Float64Array(m);
  const shift = meanResponse(input);
  const height = Math.max(1, Math.min(blockRows, Math.floor(maxBlockNumbers / d)));
  for (let start = 0; start < tokenIds.length; start += height) {
    const ids = tokenIds.subarray(start, start + height);
    const responses = responsesOf(input, weights, ids, shift);
    for (let j = 0; j < m; j++) {
      for (let t = 0; t < ids.length; t++) {
        const y = responses[j * ids.length + t]!;
        sums[j]! += y;
        squares[j]! += y * y;
      }
    }
    const product = await weighted(responses, rowsOf(embedding, ids), m);
    for (let p = 0; p < products.length; p++) products[p]! += product[p]!;
  }
  return sums.map((sum, j) => {
    const centred = leastSquares.means.map((mean, i) => products[j * d + i]! - sum * mean);
    const explained = dot(leastSquares.applyInverse(centred), 0, centred, 0, d);
    return explained / (squares[j]! - (sum * sum) / tokenIds.length);
  });
}

/** -log alpha less the shift, of some tokens for every choice of windows, [m, n]. */
function responsesOf(
  { groups, embedding }: RefitInput,
  weights: readonly Float64Array[],
  ids: Int32Array,
  shift: number,
): Float64Array {
  const n = ids.length;
  // Side by side, for the many times that they are read.
  const ofGroups = Array.from({ length: groupCount }, (_, g) =>
    Float64Array.from(ids, (id) => groups.sumProbability[g * embedding.rows + id]!),
  );
  const responses = new Float64Array(weights.length * n);
  for (const [j, weight] of weights.entries()) {
    const row = responses.subarray(j * n, (j + 1) * n);
    for (const [g, sums] of ofGroups.entries()) if (weight[g] !== 0) addScaled(row, sums, weight[g]!);
    const logContexts = Math.log(dot(weight, 0, groups.contexts, 0, groupCount));
    for (let t = 0; t < n; t++) row[t] = logContexts - Math.log(row[t]!) - shift;
  }
  return responses;
}

function addScaled(sums: Float64Array, values: Float64Array, factor: number): void {
  for (let t = 0; t < sums.length; t++) sums[t]! += factor * values[t]!;
}

/** About the mean of all responses: what is left of them is small then, and loses no digits in the sums. */
function meanResponse(input: RefitInput): number {
  const all = new Float64Array(groupCount).fill(1);
  const { tokenIds } = input;
  return responsesOf(input, [all], tokenIds, 0).reduce((sum, y) => sum + y, 0) / tokenIds.length;
}

function rowsOf({ columns, data }: Matrix<Float32Array>, ids: Int32Array): Float32Array {
  const rows = new Float32Array(ids.length * columns);
  for (const [r, id] of ids.entries()) rows.set(data.subarray(id * columns, (id + 1) * columns), r * columns);
  return rows;
}
