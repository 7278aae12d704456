import type { GeneratedPiece } from "../generation/generated-texts.js";
import type { CurvePoint } from "../reduction/reduction-run.js";
import type { PageData } from "../report/analysis/page-data.js";
import type { ComparisonPageData } from "../report/comparison/comparison-page-data.js";
import type { DynamicsPageData } from "../report/dynamics/dynamics-page-data.js";
import type { Method } from "../steering/plan/method.js";
import type { MassPoint } from "../trimming/measure/mass-curve.js";
import type { Position } from "./actions.js";
import type { ShrinkNumbers } from "./state.js";

/** What figures are drawn from. Those of a report are as its own figures take them. */
export type FigureData =
  | ReadFigure
  | TokenFigure
  | FoundFigure
  | PromptFigure
  | LiveFigure
  | SolvedFigure
  | MethodsFigure
  | TextsFigure
  | ShrinkFigure
  | ShrinkLiveFigure
  | TrimFigure
  | SeriesFigure
  | ComparisonFigure;

/** Fitted against true, map of E, saliencies, refits: as far as the text has been read. */
export interface ReadFigure {
  readonly name: "read";
  /** Of how many contexts. */
  readonly contexts: number;
  readonly complete: boolean;
  readonly data: PageData;
  /** Ids of the tokens that the fit misses by least and by most. */
  readonly best: readonly number[];
  readonly worst: readonly number[];
  readonly theory: {
    readonly meanFieldR2: number;
    readonly meanFieldCosine: number;
    readonly secondOrderR2: number;
    /** E_w . beta_n + b_w alone; null where the model has neither. */
    readonly prior: { readonly r2: number; readonly spearman: number } | null;
  } | null;
}

/** A token's own page. */
export interface TokenFigure {
  readonly name: "token";
  readonly id: number;
  readonly text: string;
  /** alpha, how often it stands in the text over N, and what the fit says. */
  readonly probability: number;
  readonly frequency: number;
  readonly fitted: number;
  /** A_i (E_wi - mean_u E_ui): what dimension i adds to -log alpha, nats, [d]. */
  readonly contributions: Float32Array<ArrayBuffer>;
  /** The mean over all tokens of the fitted -log alpha, which the contributions are added to. */
  readonly base: number;
  /** By falling cosine of rows of E. */
  readonly neighbours: readonly { readonly id: number; readonly text: string; readonly cosine: number }[];
  /** Where it was likeliest in the text, by falling probability. */
  readonly passages: readonly Passage[];
  /** ln of the built-in prior's probability, E_w . beta_n + b_w less the log-normalizer; null where there is none. */
  readonly prior: number | null;
}

/** A place of the text where a token was likely: after `before`, where `next` then stood. */
export interface Passage {
  readonly context: number;
  readonly probability: number;
  readonly before: string;
  readonly next: string;
  readonly after: string;
  /** Whether the next token is the token itself. */
  readonly hit: boolean;
}

/** What a search found. */
export interface FoundFigure {
  readonly name: "found";
  readonly query: string;
  readonly tokens: readonly { readonly id: number; readonly text: string; readonly probability: number | null }[];
  /** How many there are in all. */
  readonly total: number;
  /** Why a selector stands for nothing. */
  readonly problem: string | null;
}

/** A token that could come next. */
export interface NextChoice {
  readonly id: number;
  readonly text: string;
  readonly before: number;
  /** With the edits. */
  readonly after: number;
  readonly edited: boolean;
}

/** The prompt's next-token distribution: the likeliest before or after, and all edited ones up to a number. */
export interface PromptFigure {
  readonly name: "prompt";
  readonly prompt: string;
  readonly tokens: number;
  /** Nats. */
  readonly entropy: { readonly before: number; readonly after: number };
  /** KL(before || after), nats. */
  readonly kl: number;
  readonly choices: readonly NextChoice[];
}

/** While a slider moves. */
export interface LiveFigure {
  readonly name: "live";
  /** Of the `slide` that is answered. */
  readonly sequence: number;
  readonly edit: number;
  readonly position: Position;
  /** Mean probability of each edit's tokens over the text, in the order of the edits. */
  readonly probability: readonly { readonly before: number; readonly after: number }[];
  /** Length of the change of all rows of E. */
  readonly size: number;
  /** KL(before || after), mean over the text, nats. */
  readonly kl: number;
  /** The prompt's distribution as it would be. */
  readonly prompt: Omit<PromptFigure, "name"> | null;
  /** Milliseconds that the answer took. */
  readonly milliseconds: number;
}

/** What the exact solve of all edits did on the text. */
export interface SolvedFigure {
  readonly name: "solved";
  readonly kl: number;
  readonly js: number;
  readonly top1: number;
  readonly perplexity: { readonly before: number; readonly after: number };
  /** Length of the change of all rows of E. */
  readonly size: number;
  /** What else moved: tokens that were not edited, by falling |difference of the mean probability|. */
  readonly moved: readonly {
    readonly id: number;
    readonly text: string;
    readonly before: number;
    readonly after: number;
  }[];
  readonly warnings: readonly string[];
}

/** The same edits by each method. */
export interface MethodsFigure {
  readonly name: "methods";
  readonly methods: readonly {
    readonly method: Method | "ideal";
    /** Reached over wanted, of each edit. */
    readonly reached: readonly number[];
    /** Length of the change of all rows of E; null of the ideal, which changes none. */
    readonly size: number | null;
    /** KL(ideal || edited), and of the ideal KL(original || ideal), added over the edits, nats. */
    readonly kl: number | null;
    /** Why it could not be done. */
    readonly problem: string | null;
  }[];
}

/** Text before and after, from the same random numbers. Fills while it is written. */
export interface TextsFigure {
  readonly name: "texts";
  readonly of: "steer" | "shrink";
  readonly prompt: string;
  readonly seed: number;
  readonly before: readonly GeneratedPiece[];
  readonly after: readonly GeneratedPiece[];
  readonly complete: boolean;
}

/** What is lost at all sizes: "you are here" is `State.shrink.measured`. */
export interface ShrinkFigure {
  readonly name: "shrink";
  readonly curve: readonly CurvePoint[];
}

/** While a size slider moves: measured on a part of the text. */
export interface ShrinkLiveFigure {
  readonly name: "shrink-live";
  readonly sequence: number;
  readonly numbers: ShrinkNumbers;
  readonly prompt: Omit<PromptFigure, "name"> | null;
  readonly milliseconds: number;
}

/** Mass against vocabulary, and what goes: the most used first. */
export interface TrimFigure {
  readonly name: "trim";
  readonly curve: readonly MassPoint[];
  readonly goes: readonly {
    readonly id: number;
    readonly text: string;
    readonly probability: number;
    readonly count: number;
  }[];
}

export interface SeriesFigure {
  readonly name: "series";
  readonly data: DynamicsPageData;
}

export interface ComparisonFigure {
  readonly name: "comparison";
  readonly names: { readonly a: string; readonly b: string };
  readonly data: ComparisonPageData;
  readonly kl: number;
  readonly js: number;
  readonly top1: number;
  readonly perplexity: { readonly a: number; readonly b: number };
  readonly movers: readonly {
    readonly id: number;
    readonly text: string;
    readonly a: number;
    readonly b: number;
    readonly scale: number;
  }[];
}
