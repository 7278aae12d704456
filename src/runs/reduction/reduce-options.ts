import type { Corpus } from "../../corpus/corpus.js";
import { InputError } from "../../errors.js";
import type { ModelFormat } from "../../export/model-formats.js";
import type { BeginOfText } from "../../model/contexts/begin-of-text.js";
import { requireOneStage } from "../../model/head/one-stage.js";
import type { Model } from "../../model/model.js";
import type { RowStore } from "../../model/pass/row-store.js";
import type { Compensation, Metric, Order } from "../../reduction/methods/orders.js";
import {
  checkGreedyExact,
  checkRescore,
  keptFor,
  type ReductionPlan,
  usualCompensation,
  usualMetric,
} from "../../reduction/plan/reduction-plan.js";
import type { OnRunEvent } from "../run-events.js";

/** How much is deleted. */
export type ReductionAmount =
  /** Share of the d dimensions, in [0, 1). */
  | { readonly fraction: number }
  /** Dimensions that stay. */
  | { readonly keep: number }
  /** As many as a mean KL of at most this allows, nats. */
  | { readonly maxKl: number }
  /** What was chosen before, applied as it is: the options of the method do not count then. */
  | { readonly plan: ReductionPlan };

/** What is reduced by how much, on which texts, and how it is made up for. */
export interface ReduceOptions {
  /** Text to fit to. */
  readonly fit: Corpus;
  /** Text that nothing is fitted to, to measure on. It is read twice where a curve has texts written after it. */
  readonly check: Corpus;
  /** Tokens to fit to at most. Default 200,000. */
  readonly tokens?: number | undefined;
  /** Tokens to measure on at most. Default 20,000. */
  readonly checkTokens?: number | undefined;
  /** Tokens per window. Default 256, or what the model can take. */
  readonly contextLength?: number | undefined;
  /** Whether every window starts with the begin-of-text token. Default "auto": as the model's own tokenizer does it. */
  readonly beginOfText?: BeginOfText | undefined;
  /** Id put between documents, null for none. Default: end-of-text between those of one file. */
  readonly separator?: number | null | undefined;
  readonly amount: ReductionAmount;
  /**
   * m: the likeliest tokens by what is kept get their exact logits; their rows come on top. For the format onnx. Default: none.
   */
  readonly rescore?: number | undefined;
  /** With `rescore`: the likeliest token is always the original's, by a bound and, where that is not enough, by all of E. */
  readonly greedyExact?: boolean | undefined;
  /** Default rotation. */
  readonly order?: Order | undefined;
  /** Default least-squares; with `rescore`, refine. */
  readonly compensate?: Compensation | undefined;
  /** Metric of a rotation. Default fisher; with `greedyExact`, logits. */
  readonly metric?: Metric | undefined;
  /** Steps of the compensation refine. */
  readonly steps?: number | undefined;
  /** Seed of the random order, of gates, of refine and of generated texts. Default 0. */
  readonly seed?: number | undefined;
  /** Also what other sizes and methods lose, and what they write. */
  readonly curve?: boolean | undefined;
  /** Format in whose number types and shape the head is measured. Default safetensors. */
  readonly format?: ModelFormat | undefined;
  /** False: where the format has no place for a bias, it goes into the kept columns as nearly as can be. Default true. */
  readonly bias?: boolean | undefined;
  /** Where the hidden states of a text are kept. Default: memory. */
  readonly store?: (() => Promise<RowStore>) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnRunEvent | undefined;
}

/** The way in which a head is reduced. */
export interface ReductionMethod {
  readonly rescore: number | undefined;
  readonly greedyExact: boolean | undefined;
  readonly order: Order;
  readonly compensate: Compensation;
  readonly metric: Metric;
  readonly seed: number;
  readonly steps: number | undefined;
}

/** As asked, or as it was when the plan was made. */
export function methodOf(options: ReduceOptions): ReductionMethod {
  const { amount, metric = usualMetric(options.greedyExact) } = options;
  if (!("plan" in amount)) {
    const { rescore, greedyExact, order = "rotation", seed = 0, steps } = options;
    const { compensate = usualCompensation(rescore, greedyExact) } = options;
    return { rescore, greedyExact, order, compensate, metric, seed, steps };
  }
  const { rescore, greedyExact, order, compensate, seed, steps } = amount.plan;
  return { rescore, greedyExact, order, compensate, metric: amount.plan.metric ?? metric, seed, steps };
}

/** @throws InputError naming the option that is out of range, or the model if its head has two stages already */
export function checkAmounts(options: ReduceOptions, model: Model): void {
  const { hiddenSize, vocabSize } = model;
  const { amount, rescore } = options;
  requireOneStage(model, "reduced");
  checkRescore("plan" in amount ? amount.plan.rescore : rescore, vocabSize);
  if ("plan" in amount) return;
  checkGreedyExact(options, vocabSize);
  if (!("maxKl" in amount)) keptFor(amount, hiddenSize);
  else if (!(amount.maxKl > 0)) throw new InputError("maxKl", `is ${amount.maxKl}; a number of nats above 0 is wanted`);
}
