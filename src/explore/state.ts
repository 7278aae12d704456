import type { Method } from "../steering/plan/method.js";
import type { ModelChoice, Position, Room, ShrinkSize, TakeHome, TextChoice, Writing } from "./actions.js";

/** What stands in the page beside its figures: small, plain and complete. Each field is replaced as a whole. */
export interface State {
  readonly room: Room;
  /** What the host can open by name. */
  readonly offered: Offered;
  /** What was dropped, by number. */
  readonly dropped: readonly Dropped[];
  readonly model: OpenModel | null;
  readonly text: OpenText | null;
  /** What a model of the hub would cost to fetch; waits for `download`. */
  readonly download: Download | null;
  /** What is being done, the oldest first. */
  readonly tasks: readonly Task[];
  /** What went wrong last, in one sentence. */
  readonly problem: SaidProblem | null;
  /** What a person chose: this is what is undone, kept, and in an address. */
  readonly choices: Choices;
  /** Of each edit of the choices, in their order; what the exact solve found, where it holds. */
  readonly edits: readonly EditState[];
  readonly shrink: ShrinkState | null;
  readonly trim: TrimState | null;
  readonly series: SeriesState | null;
  readonly comparison: { readonly name: string; readonly ready: boolean } | null;
  /** The token whose page is open. */
  readonly token: number | null;
  readonly kept: readonly Kept[];
  readonly canUndo: boolean;
  readonly canRedo: boolean;
  /** What stands behind "#" in a link to this view. */
  readonly address: string;
  readonly home: Home;
}

/** What can be taken home now, and the command that does the same. */
export interface Home {
  readonly available: readonly TakeHome[];
  /** One line for a shell; null before a model is open. */
  readonly command: string | null;
}

export interface Offered {
  readonly models: readonly string[];
  readonly texts: readonly string[];
  readonly runs: readonly string[];
  readonly series: readonly string[];
  /** Whether models of the hub can be fetched. */
  readonly hub: boolean;
  /** Where files are written besides being offered; null for nowhere. */
  readonly writesTo: string | null;
}

export interface Dropped {
  readonly drop: number;
  /** What it is called: the folder, or the file. */
  readonly name: string;
  readonly holds: "model" | "text";
  readonly bytes: number;
}

export interface OpenModel {
  readonly name: string;
  readonly reference: ModelChoice;
  /** model_type of its config. */
  readonly modelType: string;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  /** Number type of E. */
  readonly dtype: string;
  readonly tied: boolean;
  readonly hasBias: boolean;
  readonly hasTokenizer: boolean;
  /** Whether it came as GGUF. */
  readonly gguf: boolean;
}

export interface OpenText {
  readonly name: string;
  readonly reference: TextChoice;
  /** Contexts read by now, and of how many. */
  readonly contexts: number;
  readonly total: number;
  /** Whether all of it has been read and the figures hold for all of it. */
  readonly complete: boolean;
  /** Tokens per window. */
  readonly contextLength: number;
  /** Whether sliders answer: what they need is made in the background after the text is read. */
  readonly slidersLive: boolean;
  /** Headline numbers as far as they are known: as in `analyze --json`. */
  readonly numbers: ReadNumbers | null;
}

export interface ReadNumbers {
  readonly r2: number;
  readonly crossValidatedR2: number;
  readonly spearman: number;
  readonly residualStandardError: number;
  readonly intercept: number;
  readonly gini: number | null;
  readonly entropy: number;
  readonly top1Mass: number;
  readonly meanFieldR2: number | null;
  readonly secondOrderR2: number | null;
  /** What keeps the fit from saying something, in plain words. */
  readonly warnings: readonly string[];
}

export interface Download {
  readonly name: string;
  readonly files: readonly { readonly name: string; readonly bytes: number; readonly cached: boolean }[];
  /** Of those that are not in the cache yet. */
  readonly bytes: number;
}

/** Work under way. */
export interface Task {
  /** What it is: "model", "text", "sliders", "solve", "write", "shrink", "trim", "series", "compare", "home". */
  readonly name: string;
  readonly label: string;
  readonly done: number;
  readonly total: number | null;
  readonly unit: "bytes" | "tokens" | "steps" | null;
}

export interface SaidProblem {
  /** What was to be done: the action's type. */
  readonly during: string;
  /** One sentence that says what, where, and what to do. */
  readonly message: string;
}

/** What a person chose. */
export interface Choices {
  readonly prompt: string;
  readonly edits: readonly ChosenEdit[];
  readonly method: Method;
  /** What an edit's size costs; the default is `steer`'s. */
  readonly lambda: number;
  readonly writing: Writing;
  /** null: the whole head. */
  readonly shrink: ShrinkSize | null;
  /** Tokens kept at most; null: all. */
  readonly trim: number | null;
}

export interface ChosenEdit {
  /** As it was asked for, and as `steer` takes it. */
  readonly selector: string;
  readonly position: Position;
}

/** What is known of one edit. */
export interface EditState {
  /** Ids, ascending. */
  readonly tokens: readonly number[];
  /** The first of them as text. */
  readonly texts: readonly string[];
  /** What one might not expect of the selector. */
  readonly notes: readonly string[];
  /** Mean probability of the tokens together over the text; null before a text is read. */
  readonly before: number | null;
  /** What the exact solve found; null while it is being solved, and before. */
  readonly solved: SolvedEdit | null;
}

export interface SolvedEdit {
  /** Mean probability over the text, as asked for and as reached. */
  readonly wanted: number;
  readonly after: number;
  /** Euclidean length of the change of its rows, over the length of the rows. */
  readonly size: number;
  readonly relativeSize: number;
  /** Where the target was not reached: why. */
  readonly shortfall: string | null;
  /** Of a ban: the largest probability that is left in any context. */
  readonly bound: number | null;
}

export interface ShrinkState {
  /** Whether the slider answers. */
  readonly live: boolean;
  /** k goes up to this. */
  readonly maxKept: number;
  readonly measured: ShrinkNumbers | null;
}

/** What a smaller head loses on the text, and costs; KL in nats. */
export interface ShrinkNumbers {
  readonly size: ShrinkSize;
  readonly kl: number;
  readonly top1: number;
  readonly perplexity: { readonly before: number; readonly after: number };
  readonly bytes: { readonly before: number; readonly after: number };
  /** For a token. */
  readonly multiplications: { readonly before: number; readonly after: number };
}

export interface TrimState {
  /** Tokens that stay, with those that always do. */
  readonly kept: number;
  readonly removedMass: number;
  readonly removedOfText: number;
}

export interface SeriesState {
  readonly name: string;
  readonly steps: readonly number[];
  readonly index: number;
  readonly ready: boolean;
}

/** Choices that were kept. */
export interface Kept {
  readonly name: string;
  readonly choices: Choices;
}
