import type { Corpus } from "../../corpus/corpus.js";
import type { BeginOfText } from "../../model/contexts/begin-of-text.js";
import type { RowStore } from "../../model/pass/row-store.js";
import type { ExperimentOptions } from "../../steering/trials/run-experiments.js";
import type { OnRunEvent } from "../run-events.js";

/** Text that edits are fitted to, and text that nothing is fitted to. Each is read more than once. */
export interface SteerTexts {
  readonly fit: Corpus;
  /** Unseen text of the same kind. */
  readonly inDomain?: Corpus | undefined;
  /** Unseen text of another kind. */
  readonly outOfDomain?: Corpus | undefined;
}

/** Texts that are written by the model before and after the edit. */
export interface TextsToGenerate {
  /** Texts of each model, at least: every prompt is gone on from equally often. */
  readonly count: number;
  /** Tokens of each text. */
  readonly tokens: number;
  /** Default: beginnings of windows of the unseen text. */
  readonly prompts?: readonly string[] | undefined;
}

/** Edits that are each made alone and measured without being written. */
export type TrialChoice = Pick<ExperimentOptions, "scales" | "tokenCounts" | "methods" | "lambdas" | "perBand">;

/** On which texts, and how much of them, edits are fitted and measured; what is tried and written besides. */
export interface SteerRunOptions {
  readonly texts: SteerTexts;
  /** Tokens to fit to at most. Default 40,000. */
  readonly tokens?: number | undefined;
  /** Tokens of each unseen text at most. Default 10,000. */
  readonly checkTokens?: number | undefined;
  /** Tokens per window. Default 256, or what the model can take. */
  readonly contextLength?: number | undefined;
  /** Whether every window starts with the begin-of-text token. Default "auto": as the model's own tokenizer does it. */
  readonly beginOfText?: BeginOfText | undefined;
  /** Id put between documents, null for none. Default: end-of-text between those of one file. */
  readonly separator?: number | null | undefined;
  /** Seed of the bootstrap and of the choice of random tokens. Default 0. */
  readonly seed?: number | undefined;
  /** The largest probability that a banned token may have, in any context. Default: 5e-4, and 4 / V where that is more. */
  readonly bound?: number | undefined;
  /** Contexts that no text holds and every edit is probed in: about so many. Default 20,480, and those of 128 made-up texts. */
  readonly probes?: number | undefined;
  /** Keep edits that make tokens likely which are to become rarer, with a warning. */
  readonly allowUnsafe?: boolean | undefined;
  /** Default: none. */
  readonly generate?: TextsToGenerate | undefined;
  /** Default: none. */
  readonly trials?: TrialChoice | undefined;
  /** Makes a place for the hidden states of one text. Default: in memory. */
  readonly store?: (() => Promise<RowStore>) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnRunEvent | undefined;
}

/** The same with what is taken where nothing is said. */
export function withDefaults(options: SteerRunOptions) {
  const { tokens = 40_000, checkTokens = 10_000, seed = 0 } = options;
  return { ...options, tokens, checkTokens, seed };
}
