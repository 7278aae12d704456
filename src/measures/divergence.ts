/** How far apart two distributions over the same tokens are, in nats. */
export interface Divergences {
  /** KL(A || B) = sum_w p_w (ln p_w - ln q_w). */
  kl: number;
  /** KL(B || A). */
  reverseKl: number;
  /** (KL(A || M) + KL(B || M)) / 2 with M = (A + B) / 2 (Lin 1991); at most ln 2. */
  js: number;
}

/**
 * Divergences of softmax(a) = A and softmax(b) = B, from the logits by logsumexp, so that probabilities too small for
 * their number type still count (METHOD.md, measures). In float64: right to about 1e-15 nats plus what the logits' own
 * rounding makes of it, and never below 0.
 * @param a logits [V]; -Infinity in both takes the token out of both @param b likewise
 * @throws RangeError if the lengths differ
 */
export function divergences(a: ArrayLike<number>, b: ArrayLike<number>): Divergences {
  if (a.length !== b.length) throw new RangeError(`${a.length} logits cannot be compared with ${b.length}`);
  const normalizerA = logSumExp(a);
  const normalizerB = logSumExp(b);
  let kl = 0;
  let reverseKl = 0;
  let js = 0;
  for (let w = 0; w < a.length; w++) {
    const logP = a[w]! - normalizerA;
    const logQ = b[w]! - normalizerB;
    if (logP === Number.NEGATIVE_INFINITY && logQ === Number.NEGATIVE_INFINITY) continue;
    const p = Math.exp(logP);
    const q = Math.exp(logQ);
    const logM = Math.log((p + q) / 2);
    if (p > 0) {
      kl += p * (logP - logQ);
      js += (p * (logP - logM)) / 2;
    }
    if (q > 0) {
      reverseKl += q * (logQ - logP);
      js += (q * (logQ - logM)) / 2;
    }
  }
  return { kl: atLeastZero(kl), reverseKl: atLeastZero(reverseKl), js: atLeastZero(js) };
}

/** ln sum exp(z_w). */
export function logSumExp(z: ArrayLike<number>): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let w = 0; w < z.length; w++) max = Math.max(max, z[w]!);
  let sum = 0;
  for (let w = 0; w < z.length; w++) sum += Math.exp(z[w]! - max);
  return max + Math.log(sum);
}

/** A divergence without the rounding that can put one of nearly equal distributions below 0; NaN stays. */
export function atLeastZero(divergence: number): number {
  return Math.max(0, divergence);
}
