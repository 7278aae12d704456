import { dot } from "../../linalg/dot.js";
import type { Gram } from "../../linalg/gram.js";
import { solveRidge } from "../../linalg/ridge.js";
import { constantDirection, type FinalNorm } from "../../model/layers/constant-direction.js";
import type { Method } from "../plan/method.js";
import type { FittingText } from "./problem/fitting-text.js";

/** Input of the methods that go along one direction. */
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
}

/**
 * @param d size of a hidden state
 * @throws RangeError if what the method needs is missing, or cannot be divided by
 */
export async function directionOf(
  method: Exclude<Method, "nearest">,
  text: FittingText,
  d: number,
  gram: Gram,
  lambda: number,
  { exact, slopes, saliency, salient }: Directions,
): Promise<Direction> {
  if (method === "constant") {
    return exact ? exactDirection(exact.finalNorm) : { vector: await ridge(), perLogarithm: false };
  }
  if (method === "mean") {
    const { mean } = await moments(text, d);
    const square = dot(mean, 0, mean, 0, d);
    if (!(square > 0)) throw new RangeError("the mean hidden state is zero: method mean has no direction");
    return { vector: mean.map((value) => value / square), perLogarithm: false };
  }
  if (slopes === undefined) throw new RangeError(`method ${method} needs the slopes of the encoding`);
  if (method === "encoding") {
    const square = dot(slopes, 0, slopes, 0, slopes.length);
    if (!(square > 0))
      throw new RangeError("the slopes of the encoding are all zero: method encoding has no direction");
    return { vector: slopes.map((value) => -value / square), perLogarithm: true };
  }
  if (saliency === undefined || salient === undefined || !(salient >= 1 && salient <= slopes.length)) {
    throw new RangeError(`method salient needs saliencies and a number of dimensions from 1 to ${slopes.length}`);
  }
  const chosen = Array.from(saliency.keys())
    .sort((a, b) => saliency[b]! - saliency[a]!)
    .slice(0, salient);
  const flat = chosen.filter((i) => slopes[i] === 0).length;
  if (flat > 0) throw new RangeError(`${flat} of the ${salient} most salient dimensions have slope 0: use fewer`);
  const vector = new Float64Array(slopes.length);
  for (const i of chosen) vector[i] = -1 / (salient * slopes[i]!);
  return { vector, perLogarithm: true };

  /** Minimises mean_t (v.h_t - 1)^2 + lambda |v|^2. */
  async function ridge(): Promise<Float64Array> {
    const { mean, second } = await moments(text, d, gram);
    solveRidge(second, d, lambda, mean);
    return mean;
  }
}

function exactDirection(finalNorm: FinalNorm): Direction {
  const vector = constantDirection(finalNorm);
  if (vector === undefined) throw new RangeError("the final norm has no exact constant direction");
  return { vector, perLogarithm: false };
}

/** Mean of h_t [d] and, given a matrix product, of h_t h_t' [d, d]. */
async function moments(text: FittingText, d: number, gram?: Gram) {
  const { count } = text;
  const mean = new Float64Array(d);
  const second = new Float64Array(gram ? d * d : 0);
  await text.eachBlock(1, async (block, start, end) => {
    for (let t = 0; t < end - start; t++) {
      for (let i = 0; i < d; i++) mean[i]! += block[t * d + i]! / count;
    }
    const part = gram && (await gram(Float64Array.from(block), end - start, d));
    part?.forEach((value, index) => {
      second[index]! += value / count;
    });
  });
  return { mean, second };
}
