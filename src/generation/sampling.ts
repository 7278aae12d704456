import { InputError } from "../errors.js";
import { type Random, splitmix32 } from "../linalg/random.js";

/** How a token is chosen from the distribution of the next one. */
export interface Sampling {
  /** What logits are divided by; 0 takes the likeliest token. Default 1. */
  temperature?: number | undefined;
  /** Only the k likeliest tokens (and those that are as likely as the last of them). Default: all. */
  topK?: number | undefined;
  /** Of those, only the likeliest that together have at least this probability. Default 1: all. */
  topP?: number | undefined;
}

/** @throws InputError naming the option that makes no sense */
export function checkSampling({ temperature = 1, topK, topP = 1 }: Sampling): void {
  if (!(temperature >= 0 && Number.isFinite(temperature))) {
    throw new InputError("temperature", `is ${temperature}; 0 (always the likeliest token) or above is wanted`);
  }
  if (topK !== undefined && !(Number.isInteger(topK) && topK > 0)) {
    throw new InputError("topK", `is ${topK}; a whole number above 0 is wanted`);
  }
  if (!(topP > 0 && topP <= 1)) throw new InputError("topP", `is ${topP}; a share above 0, at most 1, is wanted`);
}

/**
 * The distribution that tokens are drawn from: softmax(z / temperature), cut to the k likeliest, cut to the fewest of
 * these that hold topP (Holtzman et al. 2020, arXiv 1904.09751), divided by what is left: the order of transformers.
 * @param z finite logits [V] @returns float64 [V]
 */
export function samplingProbabilities(z: ArrayLike<number>, { temperature = 1, topK, topP = 1 }: Sampling) {
  if (temperature === 0) {
    const likeliest = new Float64Array(z.length);
    likeliest[largest(z)] = 1;
    return likeliest;
  }
  const p = softmax(z, temperature);
  if (topK !== undefined && topK < p.length) {
    const least = Float64Array.from(p).sort()[p.length - topK]!;
    for (let i = 0; i < p.length; i++) if (p[i]! < least) p[i] = 0;
    normalize(p);
  }
  if (topP < 1) {
    const order = likeliestFirst(p);
    let held = 0;
    let kept = 0;
    while (kept < order.length && held < topP) held += p[order[kept++]!]!;
    for (const id of order.subarray(kept)) p[id] = 0;
    normalize(p);
  }
  return p;
}

/**
 * Draws an id by a race of exponentials (the Gumbel trick: Maddison et al. 2014, arXiv 1411.0030, section 2): id i arrives at
 * -ln(1 - u_i) / p_i, the first one wins. Each id has a number of its own, so two distributions that differ in some ids
 * only, up to a factor on all others, choose the same as long as none of those wins: texts before and after an edit can be
 * laid beside one another. Temperature 0 draws nothing.
 */
export function choose(z: ArrayLike<number>, sampling: Sampling, random: Random): number {
  return sampling.temperature === 0 ? largest(z) : race(samplingProbabilities(z, sampling), random);
}

/** The race alone. @param p probabilities up to a factor, float64 [V] */
export function race(p: Float64Array, random: Random): number {
  const word = splitmix32(random() * 2 ** 32);
  let first = Number.POSITIVE_INFINITY;
  let winner = largest(p);
  for (let id = 0; id < p.length; id++) {
    const u = ((word() >>> 0) + 0.5) / 2 ** 32;
    // -ln(1 - u) is at least u: most ids are out before their logarithm is taken.
    if (u >= first * p[id]! || p[id] === 0) continue;
    const arrival = -Math.log1p(-u) / p[id]!;
    if (arrival < first) [first, winner] = [arrival, id];
  }
  return winner;
}

/** softmax(z / temperature), float64. */
export function softmax(z: ArrayLike<number>, temperature = 1): Float64Array {
  const top = z[largest(z)]!;
  const p = new Float64Array(z.length);
  for (let id = 0; id < p.length; id++) p[id] = Math.exp((z[id]! - top) / temperature);
  normalize(p);
  return p;
}

/** Ids by falling probability; equal ones by rising id. */
export function likeliestFirst(p: Float64Array): Int32Array {
  return Int32Array.from(p, (_, id) => id).sort((a, b) => p[b]! - p[a]! || a - b);
}

/** The first of the largest. */
export function largest(z: ArrayLike<number>): number {
  let best = 0;
  for (let id = 1; id < z.length; id++) if (z[id]! > z[best]!) best = id;
  return best;
}

function normalize(p: Float64Array): void {
  let sum = 0;
  for (const value of p) sum += value;
  for (let i = 0; i < p.length; i++) p[i]! /= sum;
}
