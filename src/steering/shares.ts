import { divergence } from "./nearest-row.js";

/** Probabilities of the edited tokens in every context. */
export interface Shares {
  /** [m, N]. */
  readonly p: Float64Array;
  /** Over contexts, [m]. */
  readonly mean: Float64Array;
  /** Mean over contexts of KL(these || the others) of a group against all else, and the group's mean under the others. */
  compare(others: Shares, groupOf: readonly number[], group: number): { kl: number; second: number };
}

/** Softmax over the edited tokens and the rest. @param logit of edited token j in context t */
export function sharesOf(rest: Float64Array, m: number, logit: (j: number, t: number) => number): Shares {
  const count = rest.length;
  const p = new Float64Array(m * count);
  const mean = new Float64Array(m);
  for (let t = 0; t < count; t++) {
    let largest = rest[t]!;
    for (let j = 0; j < m; j++) {
      const z = logit(j, t);
      p[j * count + t] = z;
      if (z > largest) largest = z;
    }
    let sum = Math.exp(rest[t]! - largest);
    for (let j = 0; j < m; j++) {
      const weight = Math.exp(p[j * count + t]! - largest);
      p[j * count + t] = weight;
      sum += weight;
    }
    for (let j = 0; j < m; j++) {
      const share = p[j * count + t]! / sum;
      p[j * count + t] = share;
      mean[j]! += share / count;
    }
  }
  return {
    p,
    mean,
    compare(others, groupOf, group) {
      const members = groupOf.flatMap((of, j) => (of === group ? [j] : []));
      let kl = 0;
      let second = 0;
      for (let t = 0; t < count; t++) {
        let a = 0;
        let b = 0;
        for (const j of members) {
          a += p[j * count + t]!;
          b += others.p[j * count + t]!;
        }
        kl += divergence(Math.min(a, 1), Math.log(b) - Math.log1p(-Math.min(b, 1 - Number.EPSILON / 2)));
        second += b;
      }
      return { kl: kl / count, second: second / count };
    },
  };
}
