import type { Method } from "../steering/plan/method.js";

/** One of the page's parts. */
export type Room = "open" | "read" | "steer" | "shrink" | "trim" | "watch" | "compare" | "home";

/** A model that is to be opened. */
export type ModelChoice =
  /** The one that comes with unembed. */
  | { readonly kind: "embedded" }
  /** A repository of the hub: `org/name`, `org/name@revision`, `org/name/file.gguf`. */
  | { readonly kind: "hub"; readonly name: string }
  /** Files that were dropped, by the number that `State.dropped` gives them. */
  | { readonly kind: "dropped"; readonly drop: number }
  /** One that the host has named in `State.offered.models`, such as the folder that a server was started with. */
  | { readonly kind: "offered"; readonly name: string };

/** A text that is to be read. */
export type TextChoice =
  /** One that the host has named in `State.offered.texts`: the books that come with unembed, files of a server's --corpus. */
  | { readonly kind: "offered"; readonly name: string }
  | { readonly kind: "dropped"; readonly drop: number }
  | { readonly kind: "own"; readonly text: string };

/** A file that was dropped or chosen; a page in a worker passes the `File` itself, a served page its bytes. */
export interface DroppedFile {
  /** With the folders below the one dropped: "model/config.json". */
  readonly path: string;
  readonly content: Blob | Uint8Array<ArrayBuffer>;
}

/** How texts are written: as in `generate`. */
export interface Writing {
  /** Tokens of each text, 1 to 400. */
  readonly tokens: number;
  /** Of the random numbers, which both models share. */
  readonly seed: number;
  /** 0 takes the likeliest token always. */
  readonly temperature: number;
  readonly topK: number | null;
  readonly topP: number | null;
}

/** Where a slider stands: a factor on the mean probability, 1/1000 to 1000, or a ban. */
export type Position = number | "ban";

/** What a slider's size stands for: directions kept of h, and the likeliest tokens that get their exact logits (0: none). */
export interface ShrinkSize {
  readonly kept: number;
  readonly rescore: number;
}

/** What can be taken home. */
export type TakeHome =
  /** The model with what was done to it: only the changed head as safetensors, the whole file, or GGUF where it came as one. */
  | "head"
  | "model"
  | "gguf"
  /** What `steer --plan` reads, and `reduce --plan` (two files), and `trim --plan`. */
  | "edit-plan"
  | "reduction-plan"
  | "trim-plan"
  /** A token a line: probabilities, fit, counts; and what the edits did. */
  | "tokens-csv"
  | "edits-csv"
  | "curve-csv"
  /** All figures' numbers as JSON. */
  | "figures-json";

/** All that a person can do. Those marked "step" can be undone. */
export type Action =
  // Open.
  | { readonly type: "drop"; readonly files: readonly DroppedFile[] }
  /** Of the hub: lists what would be fetched first (`State.download`), and waits for `download`. */
  | { readonly type: "open-model"; readonly model: ModelChoice }
  /** Fetches what was listed, or leaves it. */
  | { readonly type: "download"; readonly accept: boolean }
  /** Reads a text with the open model: the figures of Read fill while it runs. At most so many tokens. */
  | { readonly type: "open-text"; readonly text: TextChoice; readonly tokens?: number | undefined }
  /** A run folder that the host has named in `State.offered.runs`. */
  | { readonly type: "open-run"; readonly name: string }
  /** Stops a task of `State.tasks`, or all. */
  | { readonly type: "stop"; readonly task?: string | undefined }
  | { readonly type: "dismiss-problem" }
  /** Opens what an address bar holds: the part of a link behind "#". */
  | { readonly type: "load-address"; readonly address: string }
  /** A plan's file: of `steer`, `reduce` or `trim`. Step. */
  | { readonly type: "load-plan"; readonly file: DroppedFile }
  // Look.
  | { readonly type: "go"; readonly room: Room }
  /** The token's own page (figure "token"); null closes it. */
  | { readonly type: "show-token"; readonly id: number | null }
  /** Tokens whose text holds a string (figure "found"), or that a selector stands for. */
  | { readonly type: "search"; readonly query: string }
  // Steer.
  /** Step. The next-token distribution is the figure "prompt". */
  | { readonly type: "set-prompt"; readonly prompt: string }
  /** Step. A token, set or pattern as in `steer`: ` the`, `id:262`, `/regex/`, `@forms:lord`, `@emoji`, `@script:Han`. */
  | { readonly type: "add-edit"; readonly selector: string; readonly position?: Position | undefined }
  /** Step. */
  | { readonly type: "remove-edit"; readonly edit: number }
  /** While a slider moves: only the newest position is answered, by the figure "live" that repeats `sequence`. */
  | { readonly type: "slide"; readonly edit: number; readonly position: Position; readonly sequence: number }
  /** Step. When it is let go: the exact solve follows, figures "solved" and "prompt". */
  | { readonly type: "release"; readonly edit: number; readonly position: Position }
  /** Step. lambda is what an edit's size costs. */
  | { readonly type: "set-method"; readonly method: Method; readonly lambda: number }
  /** Solves the edits by each method (figure "methods"). */
  | { readonly type: "compare-methods" }
  /** Text before and after, from the same random numbers (figure "texts"); of edits, or of a smaller head. Step. */
  | { readonly type: "write"; readonly writing: Writing; readonly of: "steer" | "shrink" }
  // Shrink.
  /** While a slider moves: answered by the figure "shrink-live". */
  | { readonly type: "slide-shrink"; readonly size: ShrinkSize; readonly sequence: number }
  /** Step. */
  | { readonly type: "release-shrink"; readonly size: ShrinkSize | null }
  // Trim.
  /** Step. Tokens to keep at most; null for all. */
  | { readonly type: "set-trim"; readonly vocabSize: number | null }
  // Watch and compare.
  /** A series that the host has named in `State.offered.series`, or checkpoints of the hub: `org/name@step{0,512,...}`. */
  | { readonly type: "open-series"; readonly name: string }
  /** The checkpoint that the step slider stands on: an index. */
  | { readonly type: "set-step"; readonly index: number }
  | { readonly type: "compare"; readonly model: ModelChoice }
  // Take home, and back.
  | { readonly type: "take-home"; readonly what: TakeHome }
  /** Keeps the choices under a name, to come back to. */
  | { readonly type: "keep"; readonly name: string }
  /** Step. */
  | { readonly type: "show-kept"; readonly index: number }
  | { readonly type: "forget-kept"; readonly index: number }
  | { readonly type: "undo" }
  | { readonly type: "redo" };
