/** A stretch of generated text. */
export interface GeneratedPiece {
  readonly text: string;
  /** Whether it is one of the edited tokens. */
  readonly edited: boolean;
}

/** What the original and the edited model go on with from one prompt and seed. */
export interface GeneratedPair {
  readonly prompt: string;
  readonly before: readonly GeneratedPiece[];
  readonly after: readonly GeneratedPiece[];
}

/** Texts from the same prompts and seeds before and after an edit. */
export interface GeneratedTexts {
  readonly pairs: readonly GeneratedPair[];
  /** How often each edit's tokens occur in all generated text, in the order of the edits. */
  readonly occurrences: readonly { readonly before: number; readonly after: number }[];
  /** Tokens generated in all, by each model. */
  readonly tokens: { readonly before: number; readonly after: number };
}
