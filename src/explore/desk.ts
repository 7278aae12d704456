import type { Model } from "../model/model.js";
import type { Probes } from "../steering/probes/probe-contexts.js";
import type { Action, DroppedFile, ModelChoice, TextChoice } from "./actions.js";
import type { History } from "./history.js";
import type { ExplorerHost } from "./host.js";
import type { ReadText } from "./read/read-text.js";
import type { Shrinking } from "./shrink/shrinking.js";
import type { Choices } from "./state.js";
import type { ChosenTokens } from "./steer/chosen-edits.js";
import type { ExactSolve } from "./steer/exact-solve.js";
import type { LiveSlide } from "./steer/live-slide.js";
import type { OpenPrompt } from "./steer/prompt.js";
import type { SlidePath } from "./steer/slide-path.js";
import type { Store } from "./store.js";
import type { Work } from "./work.js";

/** What lies on the explorer's desk: what was asked for, what is open, and what was found, which no page needs to see. */
export interface Desk {
  readonly host: ExplorerHost;
  readonly store: Store;
  readonly work: Work;
  readonly drops: (readonly DroppedFile[])[];
  history: History;
  asked: AskedToOpen;
  model: Model | undefined;
  /** ln of the built-in prior, [V]. */
  prior: Float64Array | undefined;
  read: ReadText | undefined;
  prompt: OpenPrompt | undefined;
  chosen: readonly ChosenTokens[];
  probes: Probes | undefined;
  /** Exact solves by what was solved for, the latest last. */
  readonly solved: Map<string, ExactSolve>;
  readonly paths: Map<string, SlidePath>;
  slide: { readonly key: string; readonly live: LiveSlide } | undefined;
  readonly newest: {
    slide?: Extract<Action, { type: "slide" }> | undefined;
    shrink?: Extract<Action, { type: "slide-shrink" }> | undefined;
  };
  shrinking: Shrinking | undefined;
  /** Of what texts were last asked for. */
  writing: "steer" | "shrink" | undefined;
}

/** What a person has asked to be opened; the numbers grow with each request. */
export interface AskedToOpen {
  readonly model: ModelChoice | undefined;
  readonly modelSerial: number;
  /** Whether what it costs to fetch was agreed to. */
  readonly agreed: boolean;
  readonly text: TextChoice | undefined;
  readonly tokens: number;
  readonly textSerial: number;
}

/** Tokens of a text that are read unless told: enough for a good fit, few enough for seconds. */
export const defaultTokens = 8192;

/** What everything that is found of a model, or of a text, is kept under. */
export const modelKey = ({ asked }: Desk): string => `${asked.modelSerial}`;
export const textKey = ({ asked }: Desk): string => `${asked.modelSerial} ${asked.textSerial}`;

/** What the exact solve is for. */
export const solveKey = (desk: Desk, { edits, method, lambda }: Choices = desk.store.state.choices): string =>
  `${textKey(desk)} ${JSON.stringify([edits, method, lambda])}`;

/** The exact solve of the present choices, where it was found. */
export const solvedNow = (desk: Desk): ExactSolve | undefined => desk.solved.get(solveKey(desk));

/** Things kept by key: the newest so many. */
const mostKept = 20;

export function keep<Thing>(things: Map<string, Thing>, key: string, thing: Thing): void {
  things.delete(key);
  things.set(key, thing);
  for (const oldest of things.keys()) {
    if (things.size <= mostKept) break;
    things.delete(oldest);
  }
}
