import type { Corpus } from "../corpus/corpus.js";
import type { Checkpoint } from "../dynamics/inputs/checkpoint.js";
import type { Model } from "../model/model.js";
import type { DroppedFile, ModelChoice, TextChoice } from "./actions.js";
import type { FileOffer } from "./protocol.js";
import type { Download, Offered } from "./state.js";

/** What differs between a page by itself and one that is served: where models, texts and files come from and go to. */
export interface ExplorerHost {
  readonly offered: Offered;
  /** What opening a model would fetch; undefined where all of it is there. @throws InputError if there is no such model */
  downloadOf(model: ModelChoice, signal: AbortSignal): Promise<Download | undefined>;
  /** @param files those of a dropped model  @throws InputError naming what cannot be used, or may not be opened here */
  openModel(
    model: ModelChoice,
    files: readonly DroppedFile[],
    watched: { readonly signal: AbortSignal; readonly onBytes: (done: number, total: number | null) => void },
  ): Promise<Model>;
  /** A text that is offered or was dropped. @throws InputError as openModel */
  openText(text: Exclude<TextChoice, { kind: "own" }>, files: readonly DroppedFile[]): Promise<Corpus>;
  /** What a finished run was made of. @throws InputError as openModel */
  openRun?(name: string): Promise<OpenedRun>;
  /** Checkpoints of a training run. @throws InputError as openModel */
  openSeries?(name: string, signal: AbortSignal): Promise<readonly Checkpoint[]>;
  /** Writes a file where the host may, besides offering it. @throws InputError if it cannot be written */
  write?(file: FileOffer): Promise<void>;
  /** Which texts a pattern matches, in bounded time. */
  matchTexts?(pattern: RegExp, texts: readonly string[]): readonly boolean[];
}

/** A run's model and text, as `open-model` and `open-text` would name them, and its plan of edits where it has one. */
export interface OpenedRun {
  readonly model: ModelChoice;
  readonly text: Exclude<TextChoice, { kind: "own" }>;
  readonly tokens: number;
  readonly plan?: Uint8Array<ArrayBuffer> | undefined;
}
