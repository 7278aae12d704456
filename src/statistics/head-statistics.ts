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
  /**
   * Of heads whose logits are not linear in h (a scale, a soft cap): sums of z_tw and of (z_tw - L_t)^2, [V] each. For all
   * others the moments of h say the same.
   */
  logitMoments?: { sumLogit: Float64Array; sumSquaredLogProbability: Float64Array };
  /** How often each id occurs in the text itself, [V]. */
  tokenCounts: Float64Array;
}

/** Sums over no context at all. @param transformed whether the head's logits are more than E h + b */
export function emptyStatistics(vocabSize: number, hiddenSize: number, transformed = false): HeadStatistics {
  return {
    ...(transformed && {
      logitMoments: { sumLogit: new Float64Array(vocabSize), sumSquaredLogProbability: new Float64Array(vocabSize) },
    }),
    contexts: 0,
    sumProbability: new Float64Array(vocabSize),
    sumHidden: new Float64Array(hiddenSize),
    sumHiddenOuter: new Float64Array(hiddenSize * hiddenSize),
    sumLogNormalizerHidden: new Float64Array(hiddenSize),
    sumLogNormalizer: 0,
    sumLogNormalizerSquared: 0,
    sumEntropy: 0,
    sumLogitDeviation: 0,
    sumTopMass: { "1": 0, "10": 0, "100": 0 },
    tokenCounts: new Float64Array(vocabSize),
  };
}

/**
 * Statistics of two texts together: the sums added.
 * @throws RangeError if the two are of heads of different sizes
 */
export function merge(a: HeadStatistics, b: HeadStatistics): HeadStatistics {
  if ((a.logitMoments === undefined) !== (b.logitMoments === undefined)) {
    throw new RangeError("cannot merge statistics of a head with a transform and of one without");
  }
  return {
    ...(a.logitMoments &&
      b.logitMoments && {
        logitMoments: {
          sumLogit: sum(a.logitMoments.sumLogit, b.logitMoments.sumLogit),
          sumSquaredLogProbability: sum(
            a.logitMoments.sumSquaredLogProbability,
            b.logitMoments.sumSquaredLogProbability,
          ),
        },
      }),
    contexts: a.contexts + b.contexts,
    sumProbability: sum(a.sumProbability, b.sumProbability),
    sumHidden: sum(a.sumHidden, b.sumHidden),
    sumHiddenOuter: sum(a.sumHiddenOuter, b.sumHiddenOuter),
    sumLogNormalizerHidden: sum(a.sumLogNormalizerHidden, b.sumLogNormalizerHidden),
    sumLogNormalizer: a.sumLogNormalizer + b.sumLogNormalizer,
    sumLogNormalizerSquared: a.sumLogNormalizerSquared + b.sumLogNormalizerSquared,
    sumEntropy: a.sumEntropy + b.sumEntropy,
    sumLogitDeviation: a.sumLogitDeviation + b.sumLogitDeviation,
    sumTopMass: {
      "1": a.sumTopMass["1"] + b.sumTopMass["1"],
      "10": a.sumTopMass["10"] + b.sumTopMass["10"],
      "100": a.sumTopMass["100"] + b.sumTopMass["100"],
    },
    tokenCounts: sum(a.tokenCounts, b.tokenCounts),
  };
}

/** Mean output probability of every token, alpha, [V]; sums to 1. */
export function meanProbability(statistics: HeadStatistics): Float64Array {
  return statistics.sumProbability.map((total) => total / statistics.contexts);
}

function sum(a: Float64Array, b: Float64Array): Float64Array {
  if (a.length !== b.length) throw new RangeError(`cannot merge statistics of sizes ${a.length} and ${b.length}`);
  return a.map((value, index) => value + b[index]!);
}
