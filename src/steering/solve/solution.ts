import type { BanMethod, Method } from "../plan/method.js";
import type { TokenGroup } from "../plan/targets.js";

/** What a text says of a word of several tokens: how often it stands there, and what else its edited piece is part of. */
export interface WordUses {
  readonly found: number;
  /** Other words that the piece is part of, the commonest first, and how often each stands in the text. */
  readonly others: readonly { readonly text: string; readonly count: number }[];
}

/** How well one group's target was reached on the fitting text. */
export interface SolvedGroup extends TokenGroup {
  /** What found its rows. */
  readonly method: Method | BanMethod;
  /** Of methods that have one. */
  readonly lambda?: number | undefined;
  /** Of a ban: the probability of each of its tokens is at most this, in every context if proven, else in all that were tried. */
  readonly bound?: { readonly probability: number; readonly proven: boolean } | undefined;
  /**
   * Mean probability before, wanted and after the edit as rounded to E's number type: on the fitting text, or of a piece that is
   * edited behind others, in the contexts that end in those.
   */
  readonly probability: { readonly before: number; readonly wanted: number; readonly after: number };
  /** beta: the true logit bias of the group's tokens that reaches the target, solved jointly with the other groups'. */
  readonly idealBias: number;
  /** Mean over contexts of KL(ideal || edited) and KL(original || ideal), nats, of the group against the rest. */
  readonly klToIdeal: number;
  readonly klOfIdeal: number;
  /** Euclidean norm of the change of each of the tokens' rows, in the order of `tokens`. */
  readonly norms: readonly number[];
  /** Of a piece of a word: how often the fitting text holds the word, and what else it holds the piece in. */
  readonly uses?: WordUses | undefined;
  /** Where the lengths were solved for: ln of the mean that the rows in E's number type give to the one that the exact rows gave. */
  readonly rounding?: number | undefined;
  /** Why the target was not reached, where it was missed by more than a tenth of a percent. */
  readonly shortfall?: string | undefined;
}

/** An edit of the head that was solved for on a text. */
export interface Solution {
  readonly method: Method;
  readonly groups: readonly SolvedGroup[];
  /** New rows of E: ascending ids [m] and values as rounded to E's number type, float64 [m, d]. */
  readonly rows: { readonly ids: Int32Array; readonly values: Float64Array };
  /** All of b' [V], of bans by the head's own bias. */
  readonly bias?: Float64Array | undefined;
  /** What a user should know, such as a direction too long for E's number type. */
  readonly warnings: readonly string[];
}

/** Rounding that moves a mean probability by less is none: float32 logits have more. */
const noticeable = 1e-6;

/** Whether the number type's rounding, within what counts as reached, is all that a target is off by. */
export function isRounded({ rounding = 0, shortfall }: Pick<SolvedGroup, "rounding" | "shortfall">): boolean {
  return shortfall === undefined && Math.abs(rounding) > noticeable;
}
