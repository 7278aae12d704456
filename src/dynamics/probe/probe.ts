import { dimensionsFor, giniCoefficient, saliency } from "../../encoding/sparsity/saliency.js";
import { InputError } from "../../errors.js";
import type { Gram } from "../../linalg/gram.js";
import { permutation, seededRandom } from "../../linalg/random.js";
import type { Matrix } from "../../tensor/matrix.js";
import { findNonFinite } from "../../tensor/non-finite.js";
import { readTensor, type TensorEntry } from "../../tensor/safetensors/safetensors.js";
import type { Frequencies, Probe } from "../dynamics.js";
import type { Checkpoint } from "../inputs/checkpoint.js";
import { leadingVarianceShares } from "./leading-variances.js";
import { type ProbeFit, probeRegression } from "./probe-regression.js";

/** Principal components whose share of the variance is kept. */
const componentCount = 10;

/** Groups of tokens that the bootstrap draws from: their sums vary as those of single tokens do, at a fraction of the work. */
const maxGroups = 1000;

/** What every checkpoint of a run is regressed on: the frequencies, the same in a random order, and the tokens' groups. */
export interface ProbeTarget {
  readonly frequencies: Frequencies;
  readonly shuffled: Float64Array;
  /** Group of each token, [R]. */
  readonly groupOf: Int32Array;
  readonly groups: number;
  /** Room for one E, used again for every checkpoint. */
  room?: Float32Array<ArrayBuffer>;
}

export function probeTarget(frequencies: Frequencies, seed: number): ProbeTarget {
  const { observed } = frequencies;
  const random = seededRandom(seed);
  const shuffled = Float64Array.from(permutation(observed.length, random), (index) => observed[index]!);
  const groups = Math.min(maxGroups, observed.length);
  const groupOf = permutation(observed.length, random).map((rank) => rank % groups);
  return { frequencies, shuffled, groupOf, groups };
}

/**
 * Reads E and regresses the frequencies on it.
 * @returns undefined and the reason if a weight is not finite
 * @throws InputError if E cannot be read or regressed on
 */
export async function probeCheckpoint(
  { name, step }: Pick<Checkpoint, "name" | "step">,
  entry: TensorEntry,
  target: ProbeTarget,
  gram: Gram,
): Promise<Probe | { problem: string }> {
  const bad = await findNonFinite(entry);
  if (bad !== undefined) {
    const row = Math.floor(bad.index / entry.shape[1]!);
    return {
      problem: `tensor "${entry.name}" holds ${bad.value} in row ${row} (token id), column ${bad.index % entry.shape[1]!}`,
    };
  }
  const [rows, columns] = entry.shape as [number, number];
  try {
    target.room = await readTensor(entry, target.room);
    return await probeEmbedding(name, step, { rows, columns, data: target.room }, target, gram);
  } catch (error) {
    if (error instanceof InputError && error.place === "output embedding") throw new InputError(name, error.problem);
    throw error;
  }
}

export async function probeEmbedding(
  name: string,
  step: number,
  embedding: Matrix<Float32Array>,
  { frequencies, shuffled, groupOf, groups }: ProbeTarget,
  gram: Gram,
): Promise<Probe> {
  const { tokenIds, observed } = frequencies;
  const { fits, moments, rank, conditionNumber } = await probeRegression(
    { embedding, tokenIds, responses: [observed, shuffled] },
    gram,
  );
  const [fit, chance] = fits as [ProbeFit, ProbeFit];
  const saliencies = saliency(fit.slopes, moments);
  const mean = observed.reduce((sum, value) => sum + value, 0) / observed.length;
  const heldOut = new Float64Array(groups);
  const total = new Float64Array(groups);
  for (const [index, group] of groupOf.entries()) {
    heldOut[group]! += fit.heldOutSquares[index]!;
    total[group]! += (observed[index]! - mean) ** 2;
  }
  return {
    step,
    name,
    ...quality(fit),
    shuffled: quality(chance),
    slopes: fit.slopes,
    intercept: fit.intercept,
    saliency: saliencies,
    gini: giniCoefficient(saliencies),
    dimensionsFor: dimensionsFor(saliencies),
    meanRowNorm: meanRowNorm(embedding, tokenIds),
    varianceShare: leadingVarianceShares(moments, componentCount),
    rank,
    conditionNumber,
    fitted: fit.fitted,
    groups: { heldOut, total },
  };
}

function quality({ r2, adjustedR2, crossValidatedR2, spearman }: ProbeFit) {
  return { r2, adjustedR2, crossValidatedR2, spearman };
}

function meanRowNorm({ columns, data }: Matrix<Float32Array>, tokenIds: Int32Array): number {
  let sum = 0;
  for (const id of tokenIds) {
    let squares = 0;
    for (let at = id * columns; at < (id + 1) * columns; at++) squares += data[at]! * data[at]!;
    sum += Math.sqrt(squares);
  }
  return sum / tokenIds.length;
}
