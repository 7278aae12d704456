import type { Interval } from "../measures/interval.js";
import type { HeadStatistics } from "../statistics/head-statistics.js";

/** The log-linear encoding -log alpha_w ~= A . E_w + B, fitted by least squares (METHOD.md section 1). */
export interface Encoding {
  /** Ids of the tokens regressed on: every row of E that is not padding. R of them. */
  tokenIds: Int32Array;
  /** -log alpha_w, [R], nats. */
  observed: Float64Array;
  /** A . E_w + B, [R], nats. */
  fitted: Float64Array;
  /** A, [d]. */
  slopes: Float64Array;
  /** [d] each. p is two-sided, from Student's t with R - rank - 1 degrees of freedom. */
  standardErrors: Float64Array;
  tValues: Float64Array;
  pValues: Float64Array;
  /** B. */
  intercept: number;
  interceptStandardError: number;
  r2: number;
  adjustedR2: number;
  residualStandardError: number;
  fStatistic: number;
  fPValue: number;
  /** Of the model (rank) and of the residual (R - rank - 1). */
  degreesOfFreedom: { model: number; residual: number };
  /** Rank of the centred E; below d, some slopes are not determined and the smallest-norm ones are given. */
  rank: number;
  /** Ratio of the largest to the smallest singular value of the centred, column-scaled E: of its independent columns, where rank is below d. */
  conditionNumber: number;
  /** 10-fold, token w in fold w mod 10: 1 - (sum of squared held-out errors) / (total sum of squares). */
  crossValidatedR2: number;
  /** Rank correlation of fitted against observed. */
  spearman: number;
}

/** Where R2 lies with other windows of text of the same kind and length (docs/numbers.md says what this is and is not). */
export interface R2Interval extends Interval {
  /** 0.95. */
  level: number;
  /** Groups of windows drawn from, with replacement, and how often all of them were drawn. */
  groups: number;
  resamples: number;
}

/** R2 on a part of the text. */
export interface R2Point {
  /** Of each part, about. */
  contexts: number;
  /** Mean over disjoint parts of the text, its lowest and its highest. */
  r2: number;
  low: number;
  high: number;
  /** Number of the parts. */
  subsets: number;
}

/** How far R2 depends on the text that it was found on. */
export interface R2Uncertainty {
  /** Undefined where the text has fewer than 16 windows. */
  r2Interval: R2Interval | undefined;
  /** By rising number of contexts; the last point is the fit itself. */
  r2Curve: R2Point[];
}

/** What the theory predicts without any fitting, beside the fit (METHOD.md section 1). */
export interface Theory {
  /** A = -mean(h), B = mean(L). */
  meanField: { r2: number; cosine: number; intercept: number };
  /** Mean field less half the variance of the token's log-probability over contexts. */
  secondOrder: { r2: number };
  /** Undefined where neither the head nor the last norm has a bias. */
  prior: BuiltInPrior | undefined;
}

/** What the model says of its tokens before any context, b_w + E_w . beta_n, beside -log alpha_w (docs/numbers.md). */
export interface BuiltInPrior {
  /** Of -log alpha_w regressed on it alone. */
  r2: number;
  /** Of -log alpha_w and -(b_w + E_w . beta_n). */
  spearman: number;
  /** Of A and -beta_n. This and what follows: only where the last norm is a LayerNorm with a bias beta_n. */
  cosine?: number;
  /** R2 of the fit on E once E . beta_n is regressed out of both sides. */
  restR2?: number;
  /** How much of mean(h) is beta_n: beta_n . mean(h) / |mean(h)|^2. */
  shareOfMean?: number;
}

/** How concentrated the output is: the conditions under which the encoding is accurate. Means over contexts. */
export interface Concentration {
  logitStandardDeviation: number;
  /** Nats. */
  entropy: number;
  /** Probability held by the 1, 10 and 100 likeliest tokens. */
  topMass: Record<"1" | "10" | "100", number>;
}

/** How few dimensions carry the encoding (METHOD.md section 2). */
export interface Sparsity {
  /** |A_i| times the population standard deviation of column i of E, [d]. */
  saliency: Float64Array;
  /** Dimensions by falling saliency, [d]. */
  order: Int32Array;
  /** Share of the total saliency held by the k + 1 least salient dimensions, [d]. */
  lorenz: Float64Array;
  gini: number;
  /** How many of the most salient dimensions hold that percentage of the saliency. */
  dimensionsFor: Record<"50" | "80" | "90" | "95", number>;
  /** R2 of refits on k dimensions alone, for k = 1, 2, 4, ... and d. */
  refits: {
    k: number;
    topK: number;
    /** Over seeded random choices of k dimensions. */
    randomK: { mean: number; low: number; high: number };
    principalComponents: number;
  }[];
  /** Share of the variance of the centred E of each principal component, falling, [d]. */
  varianceShare: Float64Array;
  /** Scores of the tokens on the first components, [R, componentCount] row-major. */
  scores: Float64Array;
  componentCount: number;
}

/** Where the contexts of an analysis come from. */
export interface AnalyzedText {
  files: { name: string; bytes: number }[];
  /** Undefined where hidden states were given instead of text. */
  contextLength: number | undefined;
  beginOfText: boolean;
}

/** Everything `analyze` measured: the value behind run.json, tensors.safetensors and report.html. */
export interface Analysis {
  model: {
    /** As it was asked for. */
    name: string;
    modelType: string;
    vocabSize: number;
    hiddenSize: number;
    /** Whether E is also the input embedding. */
    tied: boolean;
    hasOutputBias: boolean;
    /** Rows of E whose ids no tokenizer produces; left out of the regression. */
    paddingRows: number;
    /** Number type of the weights as stored. */
    dtype: string;
  };
  corpus: AnalyzedText & { windows: number | undefined; contexts: number };
  /** Text of every token id, [V]; a token that is no valid UTF-8 by itself shows U+FFFD. */
  tokens: string[];
  statistics: HeadStatistics;
  encoding: Encoding;
  uncertainty: R2Uncertainty;
  /** What keeps the fit from saying something about the model, in plain words; none where there was enough text. */
  warnings: string[];
  theory: Theory;
  concentration: Concentration;
  sparsity: Sparsity;
  seed: number;
  threads: number;
  /** Wall time of the pass over the text and of the whole analysis; of a pass made elsewhere nothing is known. */
  seconds: { pass: number | undefined; total: number };
  tokensPerSecond: number | undefined;
}
