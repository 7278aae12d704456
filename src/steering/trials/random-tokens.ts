import { permutation, seededRandom } from "../../linalg/random.js";

/** Ranks [begin, end) by mean probability, the likeliest token having rank 0. */
export interface Band {
  readonly begin: number;
  readonly end: number;
}

/** The 60 commonest tokens, common ones and rare ones. */
export const frequencyBands: readonly Band[] = [
  { begin: 0, end: 60 },
  { begin: 300, end: 1500 },
  { begin: 3000, end: 6000 },
];

/**
 * Tokens drawn at random from one band, without repetition; fewer where it has fewer.
 * @param meanProbability alpha, [V]
 * @param usable ids that may be drawn
 */
export function randomTokens(
  meanProbability: Float64Array,
  usable: Int32Array,
  { begin, end }: Band,
  count: number,
  seed: number,
): number[] {
  const falling = [...usable].sort((a, b) => meanProbability[b]! - meanProbability[a]! || a - b);
  const band = falling.slice(begin, end);
  return Array.from(permutation(band.length, seededRandom(seed)).subarray(0, count), (place) => band[place]!);
}
