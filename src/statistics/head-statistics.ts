import { addCompensated } from "../linalg/compensated-sum.js";

/** Windows are dealt to so many groups by their index in the text, so that what a number owes to chance can be told. */
export const groupCount = 16;

/** Sums over the contexts of some windows of a text. V = vocabulary size, d = hidden size. */
export interface ContextSums {
  /** Number of windows summed over. */
  windows: number;
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
  /**
   * What the regression needs of each group of windows, window i of the text in group i mod 16: number of contexts, [16],
   * and sum of softmax(z_t), [16, V] row-major.
   */
  groups: { contexts: Float64Array; sumProbability: Float64Array };
}

/**
 * What one pass over a text keeps of the head's output: sums over contexts, so that two of them merge by adding
 * (METHOD.md section 1).
 */
export interface HeadStatistics extends ContextSums {
  /**
   * What float64 could not hold of each sum, once sums were merged: with it they are right to about 32 digits, so that a
   * text comes to the same sums however it was cut.
   */
  rest?: ContextSums;
}

/** Sums over no context at all. @param transformed whether the head's logits are more than E h + b */
export function emptyStatistics(vocabSize: number, hiddenSize: number, transformed = false): HeadStatistics {
  return {
    ...(transformed && {
      logitMoments: { sumLogit: new Float64Array(vocabSize), sumSquaredLogProbability: new Float64Array(vocabSize) },
    }),
    windows: 0,
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
    groups: { contexts: new Float64Array(groupCount), sumProbability: new Float64Array(groupCount * vocabSize) },
  };
}

/**
 * Statistics of two texts, or of two parts of one, together: the sums added.
 * @throws RangeError if the two are of heads of different sizes
 */
export function merge(a: HeadStatistics, b: HeadStatistics): HeadStatistics {
  const merged = copyStatistics(a);
  mergeInto(merged, b);
  return merged;
}

/** The same, the first changed in place. */
export function mergeInto(target: HeadStatistics, other: HeadStatistics): void {
  if ((target.logitMoments === undefined) !== (other.logitMoments === undefined)) {
    throw new RangeError("cannot merge statistics of a head with a transform and of one without");
  }
  for (const [name, sums] of arraysOf(target)) {
    const length = arraysOf(other).get(name)!.length;
    if (sums.length !== length) throw new RangeError(`cannot merge statistics of sizes ${sums.length} and ${length}`);
  }
  if (other.contexts === 0) return;
  if (target.contexts === 0) {
    Object.assign(target, copyStatistics(other));
    return;
  }
  target.rest ??= emptyStatistics(
    target.sumProbability.length,
    target.sumHidden.length,
    target.logitMoments !== undefined,
  );
  const [low, added, addedLow] = [target.rest, other, other.rest].map((sums) => sums && arraysOf(sums));
  for (const [name, sums] of arraysOf(target)) {
    addCompensated(sums, low!.get(name)!, added!.get(name)!, addedLow?.get(name));
  }
  const numbers = numbersOf(target);
  const lowNumbers = numbersOf(target.rest);
  addCompensated(numbers, lowNumbers, numbersOf(other), other.rest && numbersOf(other.rest));
  setNumbers(target, numbers);
  setNumbers(target.rest, lowNumbers);
}

function copyStatistics({ rest, ...sums }: HeadStatistics): HeadStatistics {
  return { ...structuredClone(sums), ...(rest && { rest: structuredClone(rest) }) };
}

/** Sets every sum to zero, to sum over other windows. */
export function clearStatistics(statistics: HeadStatistics): void {
  for (const sums of arraysOf(statistics).values()) sums.fill(0);
  setNumbers(statistics, new Float64Array(numbersOf(statistics).length));
  delete statistics.rest;
}

/** Every sum that is an array, by the name of its tensor in a file; the arrays themselves. */
export function arraysOf(sums: ContextSums): ReadonlyMap<string, Float64Array> {
  const { logitMoments, groups } = sums;
  return new Map([
    ["sum_probability", sums.sumProbability],
    ["sum_hidden", sums.sumHidden],
    ["sum_hidden_outer", sums.sumHiddenOuter],
    ["sum_log_normalizer_hidden", sums.sumLogNormalizerHidden],
    ["token_counts", sums.tokenCounts],
    ["group_contexts", groups.contexts],
    ["group_sum_probability", groups.sumProbability],
    ...(logitMoments
      ? ([
          ["sum_logit", logitMoments.sumLogit],
          ["sum_squared_log_probability", logitMoments.sumSquaredLogProbability],
        ] as const)
      : []),
  ]);
}

/** Every sum that is one number. */
export function numbersOf(s: ContextSums): Float64Array {
  return Float64Array.of(
    s.windows,
    s.contexts,
    s.sumLogNormalizer,
    s.sumLogNormalizerSquared,
    s.sumEntropy,
    s.sumLogitDeviation,
    s.sumTopMass["1"],
    s.sumTopMass["10"],
    s.sumTopMass["100"],
  );
}

/** @param numbers in the order of numbersOf */
export function setNumbers(sums: ContextSums, numbers: Float64Array): void {
  const [windows, contexts, normalizer, normalizerSquared, entropy, deviation, top1, top10, top100] = numbers;
  sums.windows = windows!;
  sums.contexts = contexts!;
  sums.sumLogNormalizer = normalizer!;
  sums.sumLogNormalizerSquared = normalizerSquared!;
  sums.sumEntropy = entropy!;
  sums.sumLogitDeviation = deviation!;
  sums.sumTopMass = { "1": top1!, "10": top10!, "100": top100! };
}

/** Mean output probability of every token, alpha, [V]; sums to 1. */
export function meanProbability(statistics: HeadStatistics): Float64Array {
  return statistics.sumProbability.map((total) => total / statistics.contexts);
}
