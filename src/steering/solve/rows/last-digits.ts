import { nearestTwo } from "./nearest-two.js";

/** What a last digit is in a number type: significant bits behind the first, and the exponent of the smallest step. */
export interface NumberFormat {
  readonly bits: number;
  readonly smallest: number;
}

/** By the name of the type in a checkpoint. */
export const numberFormats: Partial<Record<string, NumberFormat>> = {
  F16: { bits: 10, smallest: -24 },
  BF16: { bits: 7, smallest: -133 },
  F32: { bits: 23, smallest: -149 },
};

/**
 * Moves numbers, in place, by one last digit each until ln alpha has moved as far as is wanted, as nearly as one digit or two
 * allow.
 * @param gradient derivatives of alpha by the numbers  @param places of the numbers that may be moved
 * @param wanted move of ln alpha  @param enough what may be left of it
 */
export function moveLastDigits(
  values: Float64Array,
  gradient: Float64Array,
  places: readonly number[],
  { alpha, wanted, enough, format }: { alpha: number; wanted: number; enough: number; format: NumberFormat },
): void {
  const steps = places.map((at) => lastDigit(values[at]!, format));
  const effects = places.map((at, k) => (gradient[at]! * steps[k]!) / alpha);
  // A last digit moves the logit up in some contexts and down in others: where its mean effect is large beside that,
  // other tokens feel it least.
  const order = places
    .map((_, k) => k)
    .sort((a, b) => Math.abs(gradient[places[b]!]!) - Math.abs(gradient[places[a]!]!));
  let left = wanted;
  const still: number[] = [];
  const move = (k: number, sign: number) => {
    values[places[k]!]! += sign * steps[k]!;
    left -= sign * effects[k]!;
  };
  for (const k of order) {
    if (Math.abs(left) <= Math.abs(effects[k]!) / 2) still.push(k);
    else move(k, Math.sign(left * effects[k]!));
  }
  // What is left is less than any one step: two that nearly cancel go on from there.
  if (Math.abs(left) <= enough) return;
  const signed = still.flatMap((at) => [1, -1].map((sign) => ({ at, sign, effect: sign * effects[at]! })));
  for (const { at, sign } of nearestTwo(signed, left) ?? []) move(at, sign);
}

function lastDigit(value: number, { bits, smallest }: NumberFormat): number {
  return 2 ** (Math.max(Math.floor(Math.log2(Math.abs(value))), smallest + bits) - bits);
}
