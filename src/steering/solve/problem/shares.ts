/**
 * Softmax over the edited tokens and the rest, in place. Token by token, so that the contexts lie side by side.
 * @param values logits, [m, n], become probabilities  @param rest ln sum exp of all others, [n]
 */
export function toShares(values: Float64Array, rest: Float64Array): Float64Array {
  const n = rest.length;
  const largest = rest.slice();
  for (let at = 0; at < values.length; at += n) {
    for (let t = 0; t < n; t++) if (values[at + t]! > largest[t]!) largest[t] = values[at + t]!;
  }
  const total = new Float64Array(n);
  for (let t = 0; t < n; t++) total[t] = Math.exp(rest[t]! - largest[t]!);
  for (let at = 0; at < values.length; at += n) {
    for (let t = 0; t < n; t++) {
      const weight = Math.exp(values[at + t]! - largest[t]!);
      values[at + t] = weight;
      total[t]! += weight;
    }
  }
  for (let at = 0; at < values.length; at += n) {
    for (let t = 0; t < n; t++) values[at + t]! /= total[t]!;
  }
  return values;
}

/** Rows of one group added up. @param values [m, n]  @returns [groups, n] */
export function groupSums(values: Float64Array, groupOf: readonly number[], groups: number): Float64Array {
  if (groupOf.length === groups) return values;
  const n = values.length / groupOf.length;
  const sums = new Float64Array(groups * n);
  for (const [j, g] of groupOf.entries()) {
    for (let t = 0; t < n; t++) sums[g * n + t]! += values[j * n + t]!;
  }
  return sums;
}

/** ln(1 + exp(s)). */
export function softplus(s: number): number {
  const small = Math.exp(-Math.abs(s));
  // Below 1e-4 three terms are exact, and cheaper.
  const rest = small < 1e-4 ? small * (1 - small * (1 / 2 - small / 3)) : Math.log1p(small);
  return s > 0 ? s + rest : rest;
}

/** KL(Bernoulli(q) || Bernoulli(p)), nats. */
export function divergence(q: number, p: number): number {
  return (q > 0 ? q * Math.log(q / p) : 0) + (q < 1 ? (1 - q) * (Math.log1p(-q) - Math.log1p(-p)) : 0);
}
