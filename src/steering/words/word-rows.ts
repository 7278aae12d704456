import type { Head } from "../../model/head/head.js";
import { transform } from "../../model/head/head-transform.js";
import { decodeFloat64, encodeFloats, isFloatDType } from "../../tensor/dtype.js";
import { moveLastDigits, numberFormats } from "../solve/rows/last-digits.js";

/** Contexts in which a row's probability is to have a certain mean, held by themselves: [M]. */
export interface HeldPlaces {
  /** Hidden states, [M, d]. */
  readonly hidden: Float32Array;
  /** The token's logit before the head's transform, and ln sum exp of the others' logits. */
  readonly raw: Float64Array;
  readonly rest: Float64Array;
}

/** Of ln(mean / wanted). */
const enough = 5e-7;
const maxRounds = 40;
const longest = 16;
const bisections = 60;

export const sigmoid = (s: number): number => 1 / (1 + Math.exp(-s));

/** Probabilities of the token with x added to its row, their mean, and the mean's derivatives by the row. */
export function atPlaces({ transform: headTransform }: Pick<Head, "transform">, places: HeldPlaces, x: Float64Array) {
  const { hidden, raw, rest } = places;
  const d = x.length;
  const along = alongOf(hidden, x);
  const each = new Float64Array(along.length);
  const gradient = new Float64Array(d);
  for (let i = 0; i < along.length; i++) {
    const { value, slope } = transform(headTransform, raw[i]! + along[i]!);
    each[i] = sigmoid(value - rest[i]!);
    const weight = (each[i]! * (1 - each[i]!) * slope) / along.length;
    for (let k = 0; k < d; k++) gradient[k]! += weight * hidden[i * d + k]!;
  }
  return { each, mean: each.reduce((sum, p) => sum + p, 0) / each.length, gradient };
}

function alongOf(hidden: Float32Array, x: Float64Array): Float64Array {
  const d = x.length;
  return Float64Array.from({ length: hidden.length / d }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < d; k++) sum += hidden[i * d + k]! * x[k]!;
    return sum;
  });
}

/** The least value at which a function that rises or falls has a value, or the end that is nearer to it. */
export function bisected(low: number, high: number, value: (x: number) => number, wanted: number): number {
  const rises = value(high) > value(low);
  let [a, b] = [low, high];
  for (let step = 0; step < bisections; step++) {
    const middle = (a + b) / 2;
    if (value(middle) < wanted === rises) a = middle;
    else b = middle;
  }
  return (a + b) / 2;
}

/** The multiple of x that gives the token the wanted mean. */
export function lengthFor(head: Pick<Head, "transform">, places: HeldPlaces, x: Float64Array, wanted: number): number {
  const along = alongOf(places.hidden, x);
  const meanOf = (length: number) => {
    let sum = 0;
    for (let i = 0; i < along.length; i++) {
      sum += sigmoid(transform(head.transform, places.raw[i]! + length * along[i]!).value - places.rest[i]!);
    }
    return sum / along.length;
  };
  return bisected(0, longest, meanOf, wanted);
}

/**
 * E_w + x in E's number type, last digits moved until the token has the wanted mean again, or as near as that brings it.
 * @param wanted undefined leaves it as rounded
 */
export function roundedRow(
  head: Head,
  original: Float64Array,
  x: Float64Array,
  places: HeldPlaces,
  wanted: number | undefined,
): Float64Array {
  const { dtype } = head.weight;
  const round = (row: Float64Array) => (isFloatDType(dtype) ? decodeFloat64(dtype, encodeFloats(dtype, row)) : row);
  const format = numberFormats[dtype];
  let row = round(original.map((value, i) => value + x[i]!));
  if (format === undefined || wanted === undefined) return row;
  let best = row;
  let least = Number.POSITIVE_INFINITY;
  // What a move of last digits does beyond the gradient is much the same each time: allowed for, it goes.
  let beyond = 0;
  const components = Array.from(row.keys());
  for (let attempt = 0; attempt < maxRounds; attempt++) {
    const { mean, gradient } = atPlaces(head, places, difference(row, original));
    const error = Math.log(mean / wanted);
    if (Math.abs(error) < least) {
      [best, least] = [row, Math.abs(error)];
      beyond = 0;
    } else {
      beyond += error;
    }
    if (least <= enough || !Number.isFinite(error)) break;
    const next = row.slice();
    moveLastDigits(next, gradient, components, { alpha: mean, wanted: -(error + beyond), enough: enough / 2, format });
    row = round(next);
  }
  return best;
}

export const difference = (row: Float64Array, original: Float64Array): Float64Array =>
  row.map((value, i) => value - original[i]!);
