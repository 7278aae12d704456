import type { Products } from "../../../engine/products.js";
import { cholesky, solveFactored } from "../../../linalg/cholesky.js";
import { type HeadTransform, transform } from "../../../model/head/head-transform.js";
import type { TokenValues } from "./edited-tokens.js";
import type { TextBlocks } from "./fitting-text.js";
import { groupSums, toShares } from "./shares.js";

/** Logits of the edited tokens as functions of one length a group: T(raw) + length, or T(raw + length y) along edits. */
export interface Lines {
  readonly text: TextBlocks;
  readonly products: Products;
  readonly transform: HeadTransform;
  /** Group of each edited token, [m]. */
  readonly groupOf: readonly number[];
  readonly groups: number;
  /** ln sum exp of all other tokens' logits, [N]. */
  readonly rest: Float64Array;
  readonly raw: TokenValues;
  /** y = x_j . h_t; left out, the lengths are logit biases. */
  readonly along?: TokenValues | undefined;
}

/** Probabilities of the edited tokens in a block of contexts, [m, n], and the logits' derivatives by the lengths. */
async function sharesAlong(
  lines: Lines,
  lengths: Float64Array,
  block: Float32Array,
  start: number,
  withSlopes = false,
): Promise<{ p: Float64Array; slopes: Float64Array | undefined }> {
  const { groupOf, rest, raw, along } = lines;
  const before = await raw.of(block, start);
  const direction = await along?.of(block, start);
  const m = groupOf.length;
  const n = before.length / m;
  const p = new Float64Array(m * n);
  const slopes = withSlopes && direction ? new Float64Array(m * n) : undefined;
  for (let j = 0; j < m; j++) {
    const length = lengths[groupOf[j]!]!;
    for (let i = j * n; i < (j + 1) * n; i++) {
      if (direction === undefined) {
        p[i] = transform(lines.transform, before[i]!).value + length;
      } else {
        const { value, slope } = transform(lines.transform, before[i]! + length * direction[i]!);
        p[i] = value;
        if (slopes) slopes[i] = slope * direction[i]!;
      }
    }
  }
  return { p: toShares(p, rest.subarray(start, start + n)), slopes };
}

/** Mean probability of each group, [G]. */
export async function groupMeans(lines: Lines, lengths: Float64Array): Promise<Float64Array> {
  const { text, groupOf, groups } = lines;
  const mean = new Float64Array(groups);
  await text.eachBlock(groupOf.length, async (block, start) => {
    const { p } = await sharesAlong(lines, lengths, block, start);
    addRowSums(mean, p, groupOf, 1 / text.count);
  });
  return mean;
}

function addRowSums(sums: Float64Array, values: Float64Array, groupOf: readonly number[], factor: number): void {
  const n = values.length / groupOf.length;
  for (const [j, g] of groupOf.entries()) {
    let sum = 0;
    for (let i = j * n; i < (j + 1) * n; i++) sum += values[i]!;
    sums[g]! += factor * sum;
  }
}

/** Derivatives of the groups' mean probabilities by the lengths, [G, G]. */
async function jacobian(lines: Lines, lengths: Float64Array): Promise<Float64Array> {
  const { text, products, groupOf, groups } = lines;
  const own = new Float64Array(groups);
  const derivatives = new Float64Array(groups * groups);
  await text.eachBlock(groupOf.length, async (block, start) => {
    const { p, slopes } = await sharesAlong(lines, lengths, block, start, true);
    const moved = slopes ? slopes.map((slope, i) => slope * p[i]!) : p;
    addRowSums(own, moved, groupOf, 1 / text.count);
    const [shares, moves] = [groupSums(p, groupOf, groups), groupSums(moved, groupOf, groups)];
    const crossed = await products.cross(shares, moves, groups, groups);
    for (let i = 0; i < derivatives.length; i++) derivatives[i]! -= crossed[i]! / text.count;
  });
  for (let g = 0; g < groups; g++) derivatives[g * groups + g]! += own[g]!;
  return derivatives;
}

/**
 * Lengths at which the groups' mean probabilities are as wanted, or for targets out of reach, as near to that as can be.
 * Such a target draws the others off theirs as far as that helps it: its length is then held and they are solved for again.
 * @param wanted mean probability of each group, [G]  @param start lengths to begin with, [G]
 */
export async function solveLengths(
  lines: Lines,
  wanted: readonly number[],
  start: Float64Array,
  signal?: AbortSignal,
): Promise<{ lengths: Float64Array; mean: Float64Array }> {
  const held = wanted.map(() => false);
  let found = await solveFree(lines, wanted, start, held, signal);
  for (let round = 0; round < maxRounds; round++) {
    const misses = wanted.map((value, g) => (held[g] ? 0 : Math.abs(Math.log(found.mean[g]! / value))));
    const largest = Math.max(...misses);
    if (!(largest > reached)) break;
    for (const [g, miss] of misses.entries()) held[g] ||= miss > heldShare * largest;
    if (held.every(Boolean)) break;
    found = await solveFree(lines, wanted, found.lengths, held, signal);
  }
  return found;
}

/** Beyond this, a logarithm of a mean probability is not as wanted: the promise. */
const reached = 1e-6;
/** Share of the largest miss: a target missed by less than that was drawn off by the one missed most. */
const heldShare = 0.1;
const maxRounds = 4;

/**
 * Gauss-Newton on the logarithms of the mean probabilities, each step halved until it helps, until no step helps.
 * @param held groups whose lengths stay as they are, whatever they reach
 */
async function solveFree(
  lines: Lines,
  wanted: readonly number[],
  start: Float64Array,
  held: readonly boolean[],
  signal?: AbortSignal,
): Promise<{ lengths: Float64Array; mean: Float64Array }> {
  const misfit = (means: Float64Array) =>
    Math.hypot(...wanted.map((value, g) => (held[g] ? 0 : Math.log(means[g]! / value))));
  let lengths = start;
  let mean = await groupMeans(lines, lengths);
  let error = misfit(mean);
  let derivatives: Float64Array | undefined;
  for (let step = 0; step < maxSteps && error > tolerance; step++) {
    signal?.throwIfAborted();
    const fresh = derivatives === undefined;
    derivatives ??= await jacobian(lines, lengths);
    const move = await gaussNewton(lines.products, derivatives, mean, wanted, held);
    let fraction = Math.min(1, longestMove / Math.max(...move.map(Math.abs), Number.MIN_VALUE));
    const before = error;
    for (let halving = 0; halving < maxHalvings; halving++, fraction /= 2) {
      const tried = lengths.map((length, g) => length + fraction * move[g]!);
      const next = await groupMeans(lines, tried);
      const nextError = misfit(next);
      if (nextError < error) {
        [lengths, mean, error] = [tried, next, nextError];
        break;
      }
      // A step by old derivatives that does not help says nothing.
      if (!fresh) break;
    }
    if (fresh && error === before) break;
    if (!(error < chord * before)) derivatives = undefined;
  }
  return { lengths, mean };
}

/** Tolerance of the logarithm of a mean probability; the promise is 1e-6. */
const tolerance = 1e-10;
const maxSteps = 60;
const maxHalvings = 12;
/** A logit moved by more than this leaves the region where a Newton step says anything. */
const longestMove = 3;
/** Where a step leaves less than this of the error, the next one uses the same derivatives: they cost more than a step. */
const chord = 0.1;

/** Least squares of J move = ln(wanted / mean), J the derivatives of ln mean: (J'J) move = J' error; 0 for groups held. */
async function gaussNewton(
  products: Products,
  derivatives: Float64Array,
  mean: Float64Array,
  wanted: readonly number[],
  held: readonly boolean[],
): Promise<Float64Array> {
  const G = wanted.length;
  // Transposed, as the product wants it.
  const J = new Float64Array(G * G);
  const move = new Float64Array(G);
  for (let g = 0; g < G; g++) {
    if (held[g]) {
      J[g * G + g] = 1;
      continue;
    }
    const error = Math.log(wanted[g]! / mean[g]!);
    for (let k = 0; k < G; k++) {
      if (held[k]) continue;
      const value = derivatives[g * G + k]! / mean[g]!;
      J[k * G + g] = value;
      move[k]! += value * error;
    }
  }
  const normal = await products.cross(J, J, G, G);
  cholesky(normal, G);
  solveFactored(normal, G, move);
  return move;
}
