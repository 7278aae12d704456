import type { Interval } from "../measures/interval.js";
/** What a probe of one checkpoint finds: the regression of -log frequency on its output embedding (METHOD.md section 5). */
export interface Probe {
  /** Training step that the checkpoint was saved at. */
  readonly step: number;
  readonly name: string;
  readonly r2: number;
  readonly adjustedR2: number;
  /** 10-fold, token w in fold w mod 10: 1 - (sum of squared held-out errors) / (total sum of squares). */
  readonly crossValidatedR2: number;
  /** Rank correlation of fitted against true. */
  readonly spearman: number;
  /** The same regression on the same frequencies, given to the tokens in a random order: what chance alone explains. */
  readonly shuffled: {
    readonly r2: number;
    readonly adjustedR2: number;
    readonly crossValidatedR2: number;
    readonly spearman: number;
  };
  /** A, [d]. */
  readonly slopes: Float64Array;
  /** B, nats. */
  readonly intercept: number;
  /** |A_i| times the population standard deviation of column i of E, [d]. */
  readonly saliency: Float64Array;
  /** Gini coefficient of the saliencies. */
  readonly gini: number;
  /** How many of the most salient dimensions hold that percentage of the saliency. */
  readonly dimensionsFor: Record<"50" | "80" | "90" | "95", number>;
  /** Mean Euclidean norm of the rows regressed on. */
  readonly meanRowNorm: number;
  /** Share of the variance of the centred E of its first principal components, falling, [at most 10]. */
  readonly varianceShare: Float64Array;
  /** Number of columns of the centred E that are independent. */
  readonly rank: number;
  readonly conditionNumber: number;
  /** A . E_w + B, [R], nats. */
  readonly fitted: Float64Array;
  /** Squared held-out errors, and squared distances of the responses from their mean, added up over groups of tokens. */
  readonly groups: { readonly heldOut: Float64Array; readonly total: Float64Array };
}

/** A checkpoint that could not be probed; the others can. */
export interface UnusableCheckpoint {
  readonly step: number;
  readonly name: string;
  /** Why: such as which weight is not finite. */
  readonly problem: string;
}

/** What kind of part of a model a tensor belongs to. */
export type PartKind = "embedding" | "attention" | "mlp" | "norm" | "head" | "other";

/** How far one part of the model (or one tensor) is at each checkpoint. All arrays are [checkpoints]. */
export interface Movement {
  /** Cosine with the last checkpoint's parameters; 0 where one side is all zero. */
  readonly cosine: number[];
  /** |parameters - last| / |last|. */
  readonly relativeDistance: number[];
  /** The same two against the checkpoint before; 1 and 0 for the first. */
  readonly cosineToPrevious: number[];
  readonly relativeDistanceToPrevious: number[];
  /** Length of the path from the first checkpoint so far, as a share of the whole path through all checkpoints. */
  readonly pathShare: number[];
}

/** One part: a kind inside one layer, or outside the layers. */
export interface PartMovement extends Movement {
  /** Number of the layer; null outside the layers. */
  readonly layer: number | null;
  readonly kind: PartKind;
  /** Such as "layer 2 attention". */
  readonly name: string;
  /** Numbers in it. */
  readonly parameters: number;
}

/** How far the parameters of every checkpoint are from those of the last one. */
export interface Convergence {
  readonly steps: number[];
  readonly parts: PartMovement[];
  /** The same for whole layers, all kinds together. */
  readonly layers: PartMovement[];
  /** By tensor name, against the last checkpoint only. */
  readonly tensors: Record<string, { readonly cosine: number[]; readonly relativeDistance: number[] }>;
}

/** When something passes a share of where it ends. */
export interface Passing {
  /** First checkpoint that has passed it; null if none has. */
  readonly step: number | null;
  /** Between two checkpoints, interpolated on log(1 + step). */
  readonly interpolatedStep: number | null;
}

/** When the encoding is there, beside when the parameters are. */
export interface Onset {
  /** Cross-validated R2 that it ends with. */
  readonly finalR2: number;
  /** By share of the final value, in percent. */
  readonly shares: Record<"50" | "90", OnsetAtShare>;
}

/** When encoding, layers and loss pass a share of where they end. */
export interface OnsetAtShare {
  readonly encoding: Passing & { readonly interval: Interval | null };
  /** Per layer; empty where no convergence was measured. */
  readonly layers: (Passing & { readonly name: string })[];
  /** Interpolated step of the median layer. */
  readonly medianLayerStep: number | null;
  /**
   * (1 + step of the median layer) / (1 + step of the encoding): how many times later the parameters pass the share.
   * The interval is the central 95% of a bootstrap over groups of tokens and over layers.
   */
  readonly timesEarlier: { readonly ratio: number; readonly interval: Interval } | null;
}

/** A line of a training log: the loss at a step, in nats a token as the trainer's own. */
export interface LogEntry {
  readonly step: number;
  readonly loss: number;
}

/** A token whose fitted frequency changed much, and when it did. */
export interface LearntToken {
  readonly id: number;
  readonly token: string;
  /** Of the corpus (or probability), as fitted at the first and at the last checkpoint. */
  readonly frequency: number;
  readonly fittedFirst: number;
  readonly fittedLast: number;
  /** Interpolated step at which half of the change was there for good. */
  readonly halfStep: number;
}

/** What the frequencies are and which rows of E they are regressed on. */
export interface Frequencies {
  /** Rows of E regressed on, [R]. */
  readonly tokenIds: Int32Array;
  /** -log frequency, [R], nats. */
  readonly observed: Float64Array;
  readonly kind: "add-one" | "seen-only" | "probabilities";
  /** Where they come from. */
  readonly source: string;
  /** Tokens counted; undefined for probabilities. */
  readonly totalCount: number | undefined;
  /** V. */
  readonly vocabSize: number;
  /** Rows that stand for no token, left out. */
  readonly paddingRows: number;
  /** Tokens that never occur. */
  readonly unseen: number;
}

/** Everything `dynamics` measured: the value behind run.json, tensors.safetensors and report.html. */
export interface Dynamics {
  readonly model: {
    readonly name: string;
    readonly tensor: string;
    readonly vocabSize: number;
    readonly hiddenSize: number;
    readonly dtype: string;
  };
  readonly frequencies: Frequencies;
  /** Text of every token id, [V]; undefined without a tokenizer. */
  readonly tokens: string[] | undefined;
  /** By rising step. */
  readonly probes: Probe[];
  readonly unusable: UnusableCheckpoint[];
  /** Cosine of each probe's slopes with the last one's, [probes]. */
  readonly slopeCosines: number[];
  /** The regression on an embedding that has learnt nothing. */
  readonly randomEmbedding: {
    readonly source: "initial checkpoint" | "seeded normal numbers";
    readonly r2: number;
    readonly adjustedR2: number;
    readonly crossValidatedR2: number;
    readonly spearman: number;
  };
  readonly convergence: Convergence | undefined;
  readonly log: LogEntry[] | undefined;
  readonly onset: Onset;
  readonly learnt: { readonly early: LearntToken[]; readonly late: LearntToken[] };
  readonly seed: number;
  readonly threads: number;
  readonly seconds: { readonly probes: number; readonly convergence: number; readonly total: number };
  /** Bytes that were fetched from a hub, and the size of the checkpoints that they are parts of. */
  readonly fetched: { readonly bytes: number; readonly checkpointBytes: number } | undefined;
}
