/**
 * What one pass over a text keeps of the head's output: sums over contexts, so that two of them merge by adding
 * (METHOD.md section 1). V = vocabulary size, d = hidden size; all sums are accumulated in float64.
 */
export interface HeadStatistics {
  /** N: number of contexts summed over. */
  contexts: number;
  /** Sum of softmax(z_t), [V]. */
  sumProbability: Float64Array;
  /** Sum of h_t, [d]. */
  sumHidden: Float64Array;
  /** Sum of the outer products h_t h_t', [d, d] row-major. */
  sumHiddenOuter: Float64Array;
  /** Sum of L_t h_t, [d]. */
  sumLogNormalizerHidden: Float64Array;
  sumLogNormalizer: number;
  sumLogNormalizerSquared: number;
  /** Sum over contexts of the entropy of softmax(z_t), nats. */
  sumEntropy: number;
  /** Sum over contexts of the (population) standard deviation of z_t over the vocabulary. */
  sumLogitDeviation: number;
  /** Sums over contexts of the probability of the 1, 10 and 100 likeliest tokens. */
  sumTopMass: Record<"1" | "10" | "100", number>;
  /** How often each id occurs in the text itself, [V]. */
  tokenCounts: Float64Array;
}
