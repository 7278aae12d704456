import { cholesky, solveLower, solveLowerTransposed } from "../linalg/cholesky.js";
import { dot, norm } from "../linalg/dot.js";
import type { Gram } from "../linalg/gram.js";
import { constantDirection, type FinalNorm } from "../model/constant-direction.js";
import type { StoredContexts } from "../model/stored-contexts.js";
import { eachBlock } from "./nearest-row.js";
import type { Method } from "./solution.js";

/** What the methods that go along one direction need. */
export interface Directions {
  /** The LayerNorm that ends the layers: asks `constant` for the exact direction. */
  readonly exact?: { readonly finalNorm: FinalNorm } | undefined;
  /** A of the encoding, [d]. */
  readonly slopes?: Float64Array | undefined;
  /** |A_i| std_w(E_wi), [d], and how many dimensions `salient` uses. */
  readonly saliency?: Float64Array | undefined;
  readonly salient?: number | undefined;
}

export interface Direction {
  readonly vector: Float64Array;
  /** Whether it is to be multiplied by ln r; else by the ideal logit bias. */
  readonly perLogarithm: boolean;
  readonly warning?: ((dtype: string) => string) | undefined;
}

/** A length that rows of usual models (norms of 1 to 10) carry without their numbers losing digits. */
const longDirection = 10;

/** @throws RangeError if what the method needs is missing */
export async function directionOf(
  method: Exclude<Method, "nearest">,
  contexts: StoredContexts,
  gram: Gram,
  lambda: number,
  { exact, slopes, saliency, salient }: Directions,
): Promise<Direction> {
  if (method === "constant") {
    return exact ? exactDirection(exact.finalNorm) : { vector: await ridge(), perLogarithm: false };
  }
  if (method === "mean") {
    const { mean } = await moments(contexts);
    const square = dot(mean, 0, mean, 0, mean.length);
    return { vector: mean.map((value) => value / square), perLogarithm: false };
  }
  if (slopes === undefined) throw new RangeError(`method ${method} needs the slopes of the encoding`);
  if (method === "encoding") {
    const square = dot(slopes, 0, slopes, 0, slopes.length);
    return { vector: slopes.map((value) => -value / square), perLogarithm: true };
  }
  if (saliency === undefined || salient === undefined || !(salient >= 1 && salient <= slopes.length)) {
    throw new RangeError(`method salient needs saliencies and a number of dimensions from 1 to ${slopes.length}`);
  }
  const chosen = Array.from(saliency.keys())
    .sort((a, b) => saliency[b]! - saliency[a]!)
    .slice(0, salient);
  const vector = new Float64Array(slopes.length);
  for (const i of chosen) vector[i] = -1 / (salient * slopes[i]!);
  return { vector, perLogarithm: true };

  /** Minimises mean_t (v.h_t - 1)^2 + lambda |v|^2. */
  async function ridge(): Promise<Float64Array> {
    const { mean, second } = await moments(contexts, gram);
    const d = mean.length;
    for (let i = 0; i < d; i++) second[i * d + i]! += lambda;
    cholesky(second, d);
    solveLower(second, d, mean);
    solveLowerTransposed(second, d, mean);
    return mean;
  }
}

function exactDirection(finalNorm: FinalNorm): Direction {
  const vector = constantDirection(finalNorm);
  if (vector === undefined) throw new RangeError("the final norm has no exact constant direction");
  const length = norm(vector);
  const warning =
    length > longDirection
      ? (dtype: string) => `the exact constant direction is ${length.toPrecision(3)} long: ${dtype} may not carry it`
      : undefined;
  return { vector, perLogarithm: false, warning };
}

/** Mean of h_t [d] and, given a matrix product, of h_t h_t' [d, d]. */
async function moments(contexts: StoredContexts, gram?: Gram) {
  const { hiddenSize: d, count } = contexts;
  const mean = new Float64Array(d);
  const second = new Float64Array(gram ? d * d : 0);
  await eachBlock(contexts, async (block, start, end) => {
    for (let t = 0; t < end - start; t++) {
      for (let i = 0; i < d; i++) mean[i]! += block[t * d + i]! / count;
    }
    const part = gram && (await gram(block, end - start, d));
    part?.forEach((value, index) => {
      second[index]! += value / count;
    });
  });
  return { mean, second };
}
