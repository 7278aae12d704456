import type { BlockType } from "./block-types.js";
import { iq4Values } from "./iq4-values.js";
import { codeRange } from "./unpack-blocks.js";

/** Scales tried on either side of the one that gives the weight furthest from 0 the lowest code, in tenths of a code. */
const tries = 9;

/** The scale by which whole numbers of the type come nearest to the weights of a group: least squares, over several roundings. */
export function bestScale(weights: Float32Array, type: BlockType): number {
  let far = 0;
  for (const weight of weights) if (Math.abs(weight) > Math.abs(far)) far = weight;
  if (far === 0) return 0;
  const { least, most } = codeRange(type);
  const isIq4 = type === "IQ4_NL" || type === "IQ4_XS";
  let [best, gain] = [far / least, -1];
  for (let step = -tries; step <= tries; step++) {
    const inverse = (least + 0.1 * step * (isIq4 ? 10 : 1)) / far;
    let [products, squares] = [0, 0];
    for (const weight of weights) {
      const code = isIq4 ? nearestIq4(weight * inverse) : Math.min(most, Math.max(least, Math.round(weight * inverse)));
      products += weight * code;
      squares += code * code;
    }
    // Of the squared error sum w^2 - products^2 / squares only the second part depends on the scale.
    if (squares > 0 && products ** 2 / squares > gain) [best, gain] = [products / squares, products ** 2 / squares];
  }
  return best;
}

/** The value of IQ4's codes that is nearest. */
export function nearestIq4(value: number): number {
  let best = iq4Values[0]!;
  for (const candidate of iq4Values) if (Math.abs(value - candidate) < Math.abs(value - best)) best = candidate;
  return best;
}

/** Fewest levels of the codes that the weights' range is spread over, relative to all, and steps from there. */
const firstSpread = -1;
const spreadSteps = 20;

/**
 * Scale and offset by which `scale * code - offset`, with codes from 0 to `most`, comes nearest to the weights of a group.
 * Neither is negative.
 */
export function bestOffsetScale(weights: Float32Array, most: number): { scale: number; offset: number } {
  const lowest = weights.reduce((least, weight) => Math.min(least, weight), 0);
  const highest = weights.reduce((top, weight) => Math.max(top, weight), Number.NEGATIVE_INFINITY);
  if (highest <= lowest) return { scale: 0, offset: -lowest };
  let best = { scale: (highest - lowest) / most, offset: -lowest };
  let error = Number.POSITIVE_INFINITY;
  for (let step = 0; step <= spreadSteps; step++) {
    const inverse = (most + firstSpread + 0.1 * step) / (highest - lowest);
    const codes = Array.from(weights, (weight) => Math.min(most, Math.max(0, Math.round(inverse * (weight - lowest)))));
    const fitted = fitLine(weights, codes);
    const left = weights.reduce((sum, w, i) => sum + (fitted.scale * codes[i]! - fitted.offset - w) ** 2, 0);
    if (left < error && fitted.scale > 0) [best, error] = [fitted, left];
  }
  return best;
}

/** Least squares of weight = scale * code - offset with offset >= 0. */
function fitLine(weights: Float32Array, codes: readonly number[]): { scale: number; offset: number } {
  let [n, codeSum, squareSum, weightSum, productSum] = [weights.length, 0, 0, 0, 0];
  for (const [i, weight] of weights.entries()) {
    const code = codes[i]!;
    codeSum += code;
    squareSum += code * code;
    weightSum += weight;
    productSum += weight * code;
  }
  const determinant = n * squareSum - codeSum ** 2;
  if (determinant <= 0) return { scale: 0, offset: Math.max(0, -weightSum / n) };
  const offset = (codeSum * productSum - squareSum * weightSum) / determinant;
  if (offset < 0) return { scale: productSum / squareSum, offset: 0 };
  return { scale: (n * productSum - codeSum * weightSum) / determinant, offset };
}
