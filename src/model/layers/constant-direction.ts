import { readTensorFloat64 } from "../../tensor/safetensors/safetensors.js";
import type { ModelDescription } from "../architecture.js";

/** Weight g, as it multiplies, and bias beta of a LayerNorm, [d] each. */
export interface FinalNorm {
  readonly weight: Float64Array;
  readonly bias: Float64Array;
}

/** The LayerNorm that ends a model's layers; undefined if another norm does, or it has no bias. */
export async function readFinalNorm({ finalNorm }: ModelDescription): Promise<FinalNorm | undefined> {
  const { kind, weight, bias, weightOffset = 0 } = finalNorm ?? {};
  if (kind !== "layer" || weight === undefined || bias === undefined) return undefined;
  const stored = await readTensorFloat64(weight);
  return { weight: stored.map((value) => value + weightOffset), bias: await readTensorFloat64(bias) };
}

/**
 * sum_i (h_i - beta_i) / g_i = 0 after a LayerNorm, so that v = (1/g) / sum(beta/g) has v.h = 1 in every context
 * (METHOD.md section 3): along it any logit bias can be written into E. @returns v [d]; undefined if the sum is zero
 */
export function constantDirection({ weight, bias }: FinalNorm): Float64Array | undefined {
  const sum = weight.reduce((total, value, i) => total + bias[i]! / value, 0);
  const vector = weight.map((value) => 1 / value / sum);
  return vector.every(Number.isFinite) ? vector : undefined;
}
