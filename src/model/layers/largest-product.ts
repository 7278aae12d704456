import { dot, norm } from "../../linalg/dot.js";
import { readTensorFloat64 } from "../../tensor/safetensors/safetensors.js";
import type { ModelDescription } from "../architecture.js";

/** The most that |x . h| can be in any context, whatever it is. @param x [d] */
export type LargestProduct = (x: Float64Array) => number;

/**
 * What comes out of the norm that ends the layers is g (*) n + beta with |n| <= sqrt(d), also where epsilon counts (Ba et al.
 * 2016; Zhang & Sennrich 2019), so that |x . h| <= sqrt(d) |g (*) x| + |beta . x|.
 * @returns undefined for models whose layers end in something else: nothing bounds their hidden states
 */
export async function largestProduct({ finalNorm, hiddenSize }: ModelDescription): Promise<LargestProduct | undefined> {
  if (finalNorm === undefined) return undefined;
  const { weightOffset = 0 } = finalNorm;
  const stored = finalNorm.weight && (await readTensorFloat64(finalNorm.weight));
  const weight = stored?.map((value) => value + weightOffset) ?? new Float64Array(hiddenSize).fill(1);
  const bias = finalNorm.bias && (await readTensorFloat64(finalNorm.bias));
  return (x) => {
    const scaled = norm(x.map((value, i) => weight[i]! * value));
    return Math.sqrt(hiddenSize) * scaled + (bias ? Math.abs(dot(bias, 0, x, 0, hiddenSize)) : 0);
  };
}
