import type { Products } from "../../engine/products.js";
import type { Head } from "../../model/head/head.js";
import { transform } from "../../model/head/head-transform.js";
import { decodeFloat64, encodeFloats, isFloatDType } from "../../tensor/dtype.js";
import { type EditedTokens, productValues } from "./edited-tokens.js";
import type { FittingText } from "./fitting-text.js";
import { groupSums, toShares } from "./shares.js";

/** Significant bits behind the first, and the exponent of the smallest step. */
const numbers: Partial<Record<string, { bits: number; smallest: number }>> = {
  F16: { bits: 10, smallest: -24 },
  BF16: { bits: 7, smallest: -133 },
  F32: { bits: 23, smallest: -149 },
};
/** Of ln(actual / wanted): half of what is promised, since who checks may do so with float32 logits. */
const enough = 5e-7;
/** Near the end each round is a throw of dice: moves of last digits change the logits by more than what is left to gain. */
const maxRounds = 40;
/** Share of the error below which it is worth going on from there: each round of moves adds noise to the logits. */
const muchBetter = 0.02;
/** Errors that few small moves make good. */
const nearlyThere = 1e-4;

/**
 * New rows in E's number type. Rounding alone would move the mean probability, so last digits of single components are
 * then moved by one where that brings it back, by the gradient of ln alpha.
 * @param edits x_j, [m, d]
 * @param aims mean probability that each group is to keep, [G]; undefined leaves the rows as rounded
 * @returns the rows [m, d], and by how much rounding alone moves their logits (root mean square, of the worst row)
 */
export async function roundRows({
  head,
  text,
  products,
  tokens,
  groupOf,
  edits,
  aims,
  signal,
}: {
  head: Head;
  text: FittingText;
  products: Products;
  tokens: EditedTokens;
  groupOf: readonly number[];
  edits: Float64Array;
  aims: Float64Array | undefined;
  signal?: AbortSignal | undefined;
}): Promise<{ rows: Float64Array; noise: number }> {
  const d = head.hiddenSize;
  const { dtype } = head.weight;
  const round = (values: Float64Array) =>
    isFloatDType(dtype) ? decodeFloat64(dtype, encodeFloats(dtype, values)) : values;
  const exact = edits.map((value, index) => tokens.rows[index]! + value);
  const rounded = round(exact);
  const noise = await roundingNoise(rounded.map((value, index) => value - exact[index]!));
  const format = numbers[dtype];
  if (aims === undefined || format === undefined) return { rows: rounded, noise };
  let base = await judged(rounded, aims);
  let best = base;
  const beyond = new Float64Array(aims.length);
  for (let attempt = 0; attempt < maxRounds && best.error > enough && Number.isFinite(best.error); attempt++) {
    signal?.throwIfAborted();
    const next = await judged(moved(base, beyond), aims);
    if (next.error < best.error) best = next;
    if (next.error < Math.max(muchBetter * base.error, nearlyThere)) {
      base = next;
      beyond.fill(0);
    } else {
      // What large steps do beyond the gradient is much the same each time: allowed for, it goes.
      for (const [g, one] of next.errors.entries()) beyond[g]! += one;
    }
  }
  return { rows: best.rows, noise };

  async function judged(rows: Float64Array, wanted: Float64Array) {
    const { mean, gradient } = await slopesAt(rows);
    const errors = Array.from(wanted, (aim, g) => Math.log(mean[g]! / aim));
    return { rows, mean, gradient, errors, error: Math.max(...errors.map(Math.abs)) };
  }

  function moved(
    { rows, mean, gradient, errors }: Awaited<ReturnType<typeof judged>>,
    beyond: Float64Array,
  ): Float64Array {
    const next = rows.slice();
    for (const [g, error] of errors.entries()) {
      const left = error + beyond[g]!;
      if (Math.abs(left) > enough / 2) moveLastDigits(next, gradient, membersOf(g), left, mean[g]!);
    }
    return round(next);
  }

  function membersOf(g: number): number[] {
    return groupOf.flatMap((of, j) => (of === g ? [j] : []));
  }

  async function roundingNoise(differences: Float64Array): Promise<number> {
    const m = groupOf.length;
    const squares = new Float64Array(m);
    await text.eachBlock(groupOf.length, async (block, start, end) => {
      const moved = await products.along(block, differences, m);
      for (let i = 0; i < moved.length; i++) squares[Math.floor(i / (end - start))]! += moved[i]! ** 2 / text.count;
    });
    return Math.sqrt(Math.max(...squares));
  }

  /** Mean probability of each group [G], and its derivatives by the members' rows [m, d]. */
  async function slopesAt(values: Float64Array) {
    const groups = aims!.length;
    const mean = new Float64Array(groups);
    const gradient = new Float64Array(values.length);
    const raw = productValues(text, products, values, tokens.bias);
    await text.eachBlock(groupOf.length, async (block, start, end) => {
      const n = end - start;
      const before = await raw.of(block, start);
      const p = before.map((z) => transform(head.transform, z).value);
      toShares(p, tokens.rest.subarray(start, end));
      const shares = groupSums(p, groupOf, groups);
      const weights = new Float64Array(p.length);
      for (const [j, g] of groupOf.entries()) {
        for (let t = 0; t < n; t++) {
          const share = p[j * n + t]!;
          mean[g]! += share / text.count;
          const { slope } = transform(head.transform, before[j * n + t]!);
          weights[j * n + t] = (share * (1 - shares[g * n + t]!) * slope) / text.count;
        }
      }
      const part = await products.back(weights, block, groupOf.length);
      for (let i = 0; i < part.length; i++) gradient[i]! += part[i]!;
    });
    return { mean, gradient };
  }

  /** Moves components of some rows by one last digit each, until the error in ln alpha is as good as gone. */
  function moveLastDigits(
    values: Float64Array,
    gradient: Float64Array,
    members: readonly number[],
    error: number,
    mean: number,
  ): void {
    const places = members.flatMap((j) => Array.from({ length: d }, (_, i) => j * d + i));
    const steps = places.map((at) => lastDigit(values[at]!, format!));
    const effects = places.map((at, k) => (gradient[at]! * steps[k]!) / mean);
    // A last digit moves the logit up in some contexts and down in others: where its mean effect is large beside that,
    // other tokens feel it least.
    const order = places
      .map((_, k) => k)
      .sort((a, b) => Math.abs(gradient[places[b]!]!) - Math.abs(gradient[places[a]!]!));
    let left = error;
    const still: number[] = [];
    for (const k of order) {
      if (Math.abs(left) <= Math.abs(effects[k]!) / 2) still.push(k);
      else move(k, -Math.sign(left * effects[k]!));
    }
    // What is left is less than any one step: two that nearly cancel go on from there.
    if (Math.abs(left) <= enough / 2) return;
    const pair = nearestPair(
      still.map((k) => effects[k]!),
      -left,
    );
    for (const { index, sign } of pair ?? []) move(still[index]!, sign);

    function move(k: number, sign: number): void {
      values[places[k]!]! += sign * steps[k]!;
      left += sign * effects[k]!;
    }
  }
}

/**
 * The two signed numbers whose sum is nearest to an aim, of different places; undefined where zero, no pair, is nearer.
 * @param numbers [n]  Takes O(n log n): two ends of the sorted list move towards one another.
 */
export function nearestPair(numbers: readonly number[], aim: number): readonly [Signed, Signed] | undefined {
  const signed = numbers
    .flatMap((value, index): (Signed & { value: number })[] => [
      { value, index, sign: 1 },
      { value: -value, index, sign: -1 },
    ])
    .sort((a, b) => a.value - b.value);
  let best: readonly [Signed, Signed] | undefined;
  let error = Math.abs(aim);
  let [low, high] = [0, signed.length - 1];
  while (low < high) {
    const [a, b] = [signed[low]!, signed[high]!];
    const sum = a.value + b.value;
    if (a.index !== b.index && Math.abs(sum - aim) < error) {
      best = [a, b];
      error = Math.abs(sum - aim);
    }
    if (sum < aim) low++;
    else high--;
  }
  return best;
}

interface Signed {
  /** Place in the list. */
  readonly index: number;
  readonly sign: 1 | -1;
}

function lastDigit(value: number, { bits, smallest }: { bits: number; smallest: number }): number {
  return 2 ** (Math.max(Math.floor(Math.log2(Math.abs(value))), smallest + bits) - bits);
}
