import type { Action } from "./actions.js";
import type { FigureData } from "./figures.js";
import type { State } from "./state.js";

/**
 * What a page and the explorer tell each other. All are plain values that structured cloning carries; over HTTP they travel
 * as JSON with binary parts (codec.ts). A page holds a `State` and the newest `FigureData` of each kind, and nothing else:
 *
 *     const link: ExplorerLink = await openLink();
 *     link.subscribe((message) => show(message));
 *     link.send({ type: "open-model", model: { kind: "embedded" } });
 */
export type Message =
  /** Fields of the state that have changed; the first message of a subscription has all of them. */
  | { readonly type: "state"; readonly patch: Patch }
  /** What one figure is drawn from; null where it no longer holds: of another model, or of edits that have changed. */
  | { readonly type: "figure"; readonly name: FigureData["name"]; readonly figure: FigureData | null }
  /** A file to be saved by whoever looks at the page. */
  | { readonly type: "file"; readonly file: FileOffer };

/** Fields of the state that take the place of the old ones, each as a whole. */
export type Patch = Partial<State>;

/** A file that is ready to be taken home. */
export interface FileOffer {
  /** Without folders: "model.safetensors". */
  readonly name: string;
  /** Such as "application/json". */
  readonly mediaType: string;
  /** In order, together all of the file; read once. */
  readonly parts: readonly Uint8Array<ArrayBuffer>[];
}

/** The explorer as a page sees it, wherever it runs. */
export interface ExplorerLink {
  /** Never throws: what is wrong with an action is said in `State.problem`. */
  send(action: Action): void;
  /** Told at once of the whole state and of all figures that there are, then of changes. @returns ends it */
  subscribe(listener: (message: Message) => void): () => void;
}
