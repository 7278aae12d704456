import type { Corpus } from "../corpus/corpus.js";
import type { TextMeasures } from "../generation/text-measures.js";
import type { BeforeAfter } from "../measures/before-after.js";
import type { Spread } from "../measures/context-values.js";
import type { Compensation, Metric, Order } from "./methods/orders.js";

/** How the output of a reduced head differs from the original's over a text; divergences in nats. */
export interface ReductionMeasures {
  readonly contexts: number;
  /** KL(original || reduced). */
  readonly kl: Spread;
  readonly js: Spread;
  /** Share of the contexts in which both have the same likeliest token. */
  readonly top1: number;
  /** On the text's own next tokens. */
  readonly perplexity: BeforeAfter;
}

/** One point of a curve: what is lost with that many dimensions deleted; means over the contexts, in nats. */
export interface CurvePoint {
  readonly order: Order;
  readonly compensate: Compensation;
  /** m, of two stages: the likeliest tokens that get their exact logits. */
  readonly rescore?: number | undefined;
  /** Of two stages that keep the likeliest token what it is: what that takes. */
  readonly greedyExact?: GreedyCost | undefined;
  /** Share of the dimensions that is deleted. */
  readonly fraction: number;
  readonly deleted: number;
  /** Numbers that the head multiplies for a token, of two stages the rows rescored too. */
  readonly multiplications: number;
  readonly kl: number;
  readonly js: number;
  readonly jsPercentile95: number;
  readonly top1: number;
  readonly perplexity: number;
}

/** R2 of the encoding refitted on what is kept. */
export interface EncodingPoint {
  readonly order: Order;
  readonly fraction: number;
  readonly deleted: number;
  readonly r2: number;
}

/** Bytes of weights, at the number types that are stored. */
export interface ReducedBytes {
  /** Of the factored head, as ONNX, and of the model with it. */
  readonly head: BeforeAfter;
  readonly model: BeforeAfter;
  /** The same of a head of the ordinary shape, as safetensors; undefined where that has no place for the bias. */
  readonly safetensors: { readonly head: BeforeAfter; readonly model: BeforeAfter } | undefined;
  /** Of the original folder and of the one that was written; undefined where none was. */
  readonly written: BeforeAfter | undefined;
}

/** Texts that both models wrote from the same prompts and seeds, and how they differ as a whole. */
export interface ReducedTexts extends TextMeasures {
  readonly deleted: number;
  readonly samples: readonly { readonly prompt: string; readonly before: string; readonly after: string }[];
}

/** What it takes for the likeliest token to be the original's always. */
export interface GreedyCost {
  /** Share of the contexts in which more tokens than m could be the likeliest, so that all of E is taken. */
  readonly fallback: number;
  /** Rows of E that are multiplied for a token, in the mean. */
  readonly rows: number;
}

/** Everything that one reduction measured: what the report shows and run.json holds. */
export interface ReductionRun {
  readonly model: {
    readonly name: string;
    readonly modelType: string;
    readonly vocabSize: number;
    readonly hiddenSize: number;
    readonly dtype: string;
    readonly tied: boolean;
  };
  readonly corpus: {
    readonly fit: Corpus["files"];
    readonly check: Corpus["files"];
    readonly contextLength: number;
    /** Whether every window began with the begin-of-text token. */
    readonly beginOfText: boolean;
    readonly contexts: { readonly fit: number; readonly check: number };
  };
  readonly deleted: number;
  readonly kept: number;
  /** m: the likeliest tokens that get their exact logits; undefined for none. */
  readonly rescore?: number | undefined;
  /** Where the likeliest token is always the head's own: what that takes on the unseen text. */
  readonly greedyExact?: GreedyCost | undefined;
  readonly order: Order;
  readonly compensate: Compensation;
  readonly metric: Metric | undefined;
  readonly seed: number;
  /** How it was written; undefined where nothing was. */
  readonly format: "safetensors" | "onnx" | undefined;
  readonly measures: { readonly fit: ReductionMeasures; readonly check: ReductionMeasures };
  /** Where a budget was asked for. */
  readonly budget?: { readonly maxKl: number; readonly verified: ReductionMeasures } | undefined;
  readonly curve?: readonly CurvePoint[] | undefined;
  readonly encoding?: readonly EncodingPoint[] | undefined;
  readonly generated?: readonly ReducedTexts[] | undefined;
  readonly bytes: ReducedBytes;
  /** Numbers that the head multiplies for a token: V d, and V k, what projects on k directions, and m d of rows rescored; in the mean of the unseen text's contexts. */
  readonly multiplications: BeforeAfter;
  /** Milliseconds per token, of the head alone and of a whole decoding step, measured in turn in one run. */
  readonly milliseconds?: { readonly head: BeforeAfter; readonly step: BeforeAfter | undefined } | undefined;
  readonly warnings: readonly string[];
  readonly threads: number;
  readonly seconds: number;
}
