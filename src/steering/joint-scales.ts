import { cholesky, solveLower, solveLowerTransposed } from "../linalg/cholesky.js";

/** Logits of the edited tokens as a function of one length per group. */
export interface Lines {
  /** N. */
  readonly count: number;
  /** ln sum exp of all other tokens' logits, [N]. */
  readonly rest: Float64Array;
  /** Group of each edited token, [m]. */
  readonly groupOf: readonly number[];
  readonly groups: number;
  /** Logit of edited token j in context t and its derivative by its group's length. */
  at(j: number, t: number, length: number): { readonly value: number; readonly slope: number };
}

/** Mean probability of each group [G] and its derivatives by the lengths, [G, G]. */
export function measure(lines: Lines, lengths: Float64Array): { mean: Float64Array; jacobian: Float64Array } {
  const { count, rest, groupOf, groups: G, at } = lines;
  const m = groupOf.length;
  const mean = new Float64Array(G);
  const jacobian = new Float64Array(G * G);
  const value = new Float64Array(m);
  const slope = new Float64Array(m);
  const p = new Float64Array(G);
  const moved = new Float64Array(G);
  for (let t = 0; t < count; t++) {
    let largest = rest[t]!;
    for (let j = 0; j < m; j++) {
      const z = at(j, t, lengths[groupOf[j]!]!);
      value[j] = z.value;
      slope[j] = z.slope;
      largest = Math.max(largest, z.value);
    }
    let sum = Math.exp(rest[t]! - largest);
    for (let j = 0; j < m; j++) {
      value[j] = Math.exp(value[j]! - largest);
      sum += value[j]!;
    }
    p.fill(0);
    moved.fill(0);
    for (let j = 0; j < m; j++) {
      const g = groupOf[j]!;
      const share = value[j]! / sum;
      p[g]! += share;
      moved[g]! += share * slope[j]!;
    }
    for (let g = 0; g < G; g++) {
      mean[g]! += p[g]! / count;
      jacobian[g * G + g]! += moved[g]! / count;
      for (let k = 0; k < G; k++) jacobian[g * G + k]! -= (p[g]! * moved[k]!) / count;
    }
  }
  return { mean, jacobian };
}

/**
 * Lengths at which the groups' mean probabilities are as wanted: Gauss-Newton on their logarithms, each step halved until
 * it helps. Ends where no step helps: the nearest that can be reached.
 * @param wanted mean probability of each group, [G]
 */
export function solveLengths(
  lines: Lines,
  wanted: readonly number[],
  start: Float64Array,
): { lengths: Float64Array; mean: Float64Array } {
  const G = lines.groups;
  let lengths = start;
  let state = measure(lines, lengths);
  let error = misfit(state.mean, wanted);
  for (let step = 0; step < maxSteps && error > tolerance; step++) {
    const move = gaussNewton(state, wanted);
    let fraction = Math.min(1, longestMove / Math.max(...move.map(Math.abs), Number.MIN_VALUE));
    let improved = false;
    for (let halving = 0; halving < maxHalvings && !improved; halving++, fraction /= 2) {
      const tried = lengths.map((length, g) => length + fraction * move[g]!);
      const next = measure(lines, tried);
      const nextError = misfit(next.mean, wanted);
      if (nextError < error) {
        lengths = tried;
        state = next;
        error = nextError;
        improved = true;
      }
    }
    if (!improved) break;
  }
  return { lengths: lengths.slice(0, G), mean: state.mean };
}

/** Of the logarithm of a mean probability; the promise is 1e-6. */
const tolerance = 1e-10;
const maxSteps = 60;
const maxHalvings = 12;
/** A logit moved by more than this leaves the region where a Newton step says anything. */
const longestMove = 3;

function misfit(mean: Float64Array, wanted: readonly number[]): number {
  return Math.hypot(...wanted.map((value, g) => Math.log(mean[g]! / value)));
}

/** Least squares of J move = ln(wanted / mean), J the derivatives of ln mean: (J'J) move = J' error. */
function gaussNewton(
  { mean, jacobian }: { mean: Float64Array; jacobian: Float64Array },
  wanted: readonly number[],
): Float64Array {
  const G = wanted.length;
  const J = jacobian.map((value, index) => value / mean[Math.floor(index / G)]!);
  const normal = new Float64Array(G * G);
  const move = new Float64Array(G);
  for (let g = 0; g < G; g++) {
    const error = Math.log(wanted[g]! / mean[g]!);
    for (let k = 0; k < G; k++) {
      move[k]! += J[g * G + k]! * error;
      for (let l = 0; l <= k; l++) normal[k * G + l]! += J[g * G + k]! * J[g * G + l]!;
    }
  }
  cholesky(normal, G);
  solveLower(normal, G, move);
  solveLowerTransposed(normal, G, move);
  return move;
}
