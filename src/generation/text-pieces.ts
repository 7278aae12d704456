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

/** @param opening ids that the text goes on from; they are not given back */
export function textPieces({ decode, produces }: Tokenizer, opening: readonly number[] = []): TextPieces {
  const text = (ids: readonly number[]) => decode(ids.filter(produces));
  let known = opening.slice(-before);
  let knownText = text(known);
  let waiting: number[] = [];
  function take(): TextPiece {
    const whole = text([...known, ...waiting]);
    const piece = { text: whole.slice(knownText.length), ids: waiting };
    // As context for what comes next the last piece is enough: no character reaches across it.
    known = waiting;
    knownText = text(known);
    waiting = [];
    return piece;
  }
  return {
    push(id) {
      waiting.push(id);
      return text([...known, ...waiting]).endsWith(incomplete) ? undefined : take();
    },
    end: () => (waiting.length === 0 ? undefined : take()),
  };
}
