import type { Interval } from "../../measures/interval.js";
import type { CheckText } from "../check/check-texts.js";
import type { Method } from "../plan/method.js";
import type { Target } from "../plan/targets.js";

/** Tokens that trials of edits are about: a group of the asked edits, or a token drawn at random. */
export interface TrialGroup {
  readonly label: string;
  readonly tokens: readonly { readonly id: number; readonly text: string }[];
  /** Place in the list of frequency bands, of tokens drawn at random. */
  readonly band?: number | undefined;
}

/** What one edit, made alone, does on one text; factors are on the mean probability, divergences means over contexts, nats. */
export interface TrialEffect {
  readonly before: number;
  readonly after: number;
  readonly scale: number;
  readonly interval: Interval;
  /** The true logit bias, as calibrated on the text that the edit was fitted to. */
  readonly idealScale: number;
  /** KL(original || edited), KL(original || ideal), KL(ideal || edited). */
  readonly kl: number;
  readonly klOfIdeal: number;
  readonly klToIdeal: number;
  /** Jensen-Shannon of original and edited. */
  readonly js: number;
}

/** One edit made alone, in one way; nothing is written. */
export interface Trial {
  /** Place in the list of groups. */
  readonly group: number;
  readonly target: Target;
  readonly wantedScale: number;
  readonly method: Method;
  readonly calibrated: boolean;
  /** `constant` along the direction that is exact after a LayerNorm. */
  readonly exact: boolean;
  readonly lambda: number;
  /** Contexts fitted on. */
  readonly contexts: number;
  /** Euclidean norm of the change of all its rows together. */
  readonly norm: number;
  readonly shortfall: string | undefined;
  readonly effects: { readonly [Text in CheckText]?: TrialEffect };
}

/** |ln(actual / wanted)| of a trial on a text. */
export function missOf({ wantedScale, effects }: Trial, text: CheckText): number {
  return Math.abs(Math.log((effects[text]?.scale ?? Number.NaN) / wantedScale));
}

/** The same of the true logit bias. */
export function idealMissOf({ wantedScale, effects }: Trial, text: CheckText): number {
  return Math.abs(Math.log((effects[text]?.idealScale ?? Number.NaN) / wantedScale));
}
