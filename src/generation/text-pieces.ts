import type { Tokenizer } from "../corpus/tokenizer/tokenizer.js";

/** Characters that some consecutive tokens stand for together. */
export interface TextPiece {
  readonly text: string;
  readonly ids: readonly number[];
}

/** Turns token ids into text as they come. */
export interface TextPieces {
  /** @returns what is whole now; undefined while a character still lacks bytes */
  push(id: number): TextPiece | undefined;
  /** The rest at the end of the text; bytes that are no character become U+FFFD. */
  end(): TextPiece | undefined;
}

/** Tokens of the prompt that are decoded with the first new ones: what they mean can depend on those before. */
const before = 8;
const incomplete = "\ufffd";

/** What the text of the next token depends on. */
export interface PieceState {
  /** Tokens whose text is known, as many as matter, and that text. */
  readonly known: readonly number[];
  readonly knownText: string;
  /** Tokens of a character that still lacks bytes. */
  readonly waiting: readonly number[];
}

/** @param opening ids that the text goes on from */
export function pieceState(tokenizer: Tokenizer, opening: readonly number[]): PieceState {
  const known = opening.slice(-before);
  return { known, knownText: textOf(tokenizer, known), waiting: [] };
}

/** One more token. @returns what is whole now, if anything is; else what it looks like so far; and what follows depends on then */
export function nextPiece(
  tokenizer: Tokenizer,
  { known, knownText, waiting }: PieceState,
  id: number,
): { piece: TextPiece | undefined; pending: string; state: PieceState } {
  const ids = [...waiting, id];
  const whole = textOf(tokenizer, [...known, ...ids]);
  const text = whole.slice(knownText.length);
  if (text.endsWith(incomplete)) return { piece: undefined, pending: text, state: { known, knownText, waiting: ids } };
  // As context for what comes next the last piece is enough: no character reaches across it.
  const state = { known: ids, knownText: textOf(tokenizer, ids), waiting: [] };
  return { piece: { text, ids }, pending: "", state };
}

/** @param opening ids that the text goes on from; they are not given back */
export function textPieces(tokenizer: Tokenizer, opening: readonly number[] = []): TextPieces {
  let state = pieceState(tokenizer, opening);
  return {
    push(id) {
      const next = nextPiece(tokenizer, state, id);
      state = next.state;
      return next.piece;
    },
    end() {
      const { known, knownText, waiting } = state;
      if (waiting.length === 0) return undefined;
      return { text: textOf(tokenizer, [...known, ...waiting]).slice(knownText.length), ids: waiting };
    },
  };
}

function textOf({ decode, produces }: Tokenizer, ids: readonly number[]): string {
  return decode(ids.filter(produces));
}
