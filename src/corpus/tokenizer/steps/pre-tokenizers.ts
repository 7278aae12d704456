import * as z from "zod";
import { Refusal } from "../refusal.js";
import { lettersOf } from "./byte-letters.js";
import { type Matcher, matcher, onigurumaMatcher, regexMatcher, whiteSpace } from "./patterns.js";
import { type SplitBehavior, splitBehaviors, splitText } from "./split.js";
import { flatten, metaspaceShape, oneCharacter, patternShape, type Step, stepFields } from "./step.js";
import { scriptPieces } from "./unicode-scripts.js";
import { punctuationMark, rustWordCharacter } from "./unicode-tables.js";

/** Pieces of a text, none empty. */
export interface Pieces {
  pieces: string[];
  /** How many units of each come from the text's first character: of the first pieces, all others have none. */
  begins: readonly number[];
}

type Split = (pieces: Pieces) => Pieces;

/** How texts are cut into what the model sees, one piece at a time. */
export interface PreTokenizer {
  split(pieces: Pieces): Pieces;
  /** What is done to each piece at last: ids of a piece can be remembered by what it was before. */
  spell: ((piece: string) => string) | undefined;
}

/**
 * The pre-tokenizer of a tokenizer.json, as the Rust tokenizers have it.
 * @throws Refusal naming the step that is unknown or cannot be used
 */
export function createPreTokenizer(step: Step | null | undefined): PreTokenizer {
  const steps = flatten(step, "pre_tokenizer");
  const splits: Split[] = [];
  let spell: ((piece: string) => string) | undefined;
  for (const { step, field } of steps) {
    if (spell !== undefined) splits.push(eachSpelt(spell));
    spell = step.type === "ByteLevel" ? lettersOf : undefined;
    splits.push(single(step, field));
  }
  return { split: (pieces) => splits.reduce((split, step) => step(split), pieces), spell };
}

function eachSpelt(spell: (piece: string) => string): Split {
  return ({ pieces, begins }) => ({
    pieces: pieces.map(spell),
    begins: begins.map((begin, index) => spell(pieces[index]!.slice(0, begin)).length),
  });
}

/** GPT-2's words. */
const gpt2Words = onigurumaMatcher(
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu,
  "pre_tokenizer",
);
const space = regexMatcher(new RegExp(whiteSpace, "gu"));
const punctuation = regexMatcher(punctuationMark);
const words = regexMatcher(new RegExp(`${rustWordCharacter}+|(?:(?!${rustWordCharacter})\\P{White_Space})+`, "gu"));
const digit = regexMatcher(/\p{N}/gu);

const behavior = z.enum(splitBehaviors);

function single(step: Step, field: string): Split {
  switch (step.type) {
    case "ByteLevel":
      return byteLevel(stepFields(step, field, byteLevelShape));
    case "Metaspace":
      return metaspace(stepFields(step, field, metaspaceShape));
    case "Split": {
      const shape = z.object({ pattern: patternShape, behavior, invert: z.boolean().default(false) });
      const { pattern, behavior: how, invert } = stepFields(step, field, shape);
      return splitAt(matcher(pattern, `${field}.pattern`), how, invert);
    }
    case "Whitespace":
      return splitAt(words, "Removed", true);
    case "WhitespaceSplit":
      return splitAt(space, "Removed");
    case "BertPreTokenizer": {
      const atSpaces = splitAt(space, "Removed");
      const atMarks = splitAt(punctuation, "Isolated");
      return (pieces) => atMarks(atSpaces(pieces));
    }
    case "Punctuation":
      return splitAt(
        punctuation,
        stepFields(step, field, z.object({ behavior: behavior.default("Isolated") })).behavior,
      );
    case "Digits": {
      const { individual_digits } = stepFields(step, field, z.object({ individual_digits: z.boolean() }));
      return splitAt(digit, individual_digits ? "Isolated" : "Contiguous");
    }
    case "CharDelimiterSplit": {
      const { delimiter } = stepFields(step, field, z.object({ delimiter: oneCharacter }));
      return splitAt(matcher({ String: delimiter }, field), "Removed");
    }
    case "UnicodeScripts":
      return eachSplit(scriptPieces);
    case "FixedLength": {
      const { length } = stepFields(
        step,
        field,
        z.object({
          length: z
            .int()
            .min(1)
            .max(2 ** 31),
        }),
      );
      return eachSplit((text) => ofLength(text, length));
    }
    default:
      throw new Refusal(`${field}.type`, `is ${JSON.stringify(step.type.slice(0, 40))}, an unknown pre-tokenizer`);
  }
}

/** A step that splits each piece by itself. @param split gives start and end of each part, one after the other */
function eachSplit(split: (text: string) => number[]): Split {
  return ({ pieces, begins }) => {
    const parts: string[] = [];
    const partBegins: number[] = [];
    for (const [index, piece] of pieces.entries()) {
      const begin = begins[index] ?? 0;
      const spans = split(piece);
      for (let i = 0; i < spans.length; i += 2) {
        const [start, end] = [spans[i]!, spans[i + 1]!];
        parts.push(piece.slice(start, end));
        if (start < begin) partBegins.push(Math.min(begin, end) - start);
      }
    }
    return { pieces: parts, begins: partBegins };
  };
}

function splitAt(match: Matcher, behavior: SplitBehavior, invert = false): Split {
  return eachSplit((text) => splitText(text, match, behavior, invert));
}

const byteLevelShape = z.object({
  add_prefix_space: z.boolean().default(true),
  use_regex: z.boolean().default(true),
});

function byteLevel({ add_prefix_space, use_regex }: z.infer<typeof byteLevelShape>): Split {
  const prefixed: Split = ({ pieces, begins }) => ({
    pieces: pieces.map((piece) => (piece.startsWith(" ") ? piece : ` ${piece}`)),
    begins: begins.map((begin, index) => (begin === 0 || pieces[index]!.startsWith(" ") ? begin : begin + 1)),
  });
  const atWords: Split = use_regex ? splitAt(gpt2Words, "Isolated") : (pieces) => pieces;
  return add_prefix_space ? (pieces) => atWords(prefixed(pieces)) : atWords;
}

function metaspace(options: z.infer<typeof metaspaceShape>): Split {
  const { replacement, split } = options;
  const scheme = options.prepend_scheme;
  const atMarks = splitAt(matcher({ String: replacement }, ""), "MergedWithNext");
  return ({ pieces, begins }) => {
    const marked: string[] = [];
    const markedBegins: number[] = [];
    for (const [index, piece] of pieces.entries()) {
      const begin = begins[index] ?? 0;
      const text = piece.replaceAll(" ", replacement);
      const wants = scheme === "always" || (scheme === "first" && begin > 0);
      const mark = wants && !text.startsWith(replacement) ? replacement : "";
      marked.push(mark + text);
      if (begin > 0) markedBegins.push(mark.length + piece.slice(0, begin).replaceAll(" ", replacement).length);
    }
    const all = { pieces: marked, begins: markedBegins };
    return split ? atMarks(all) : all;
  };
}

function ofLength(text: string, length: number): number[] {
  const pieces: number[] = [];
  let start = 0;
  let at = 0;
  let count = 0;
  for (const character of text) {
    at += character.length;
    count++;
    if (count < length) continue;
    pieces.push(start, at);
    start = at;
    count = 0;
  }
  if (start < text.length) pieces.push(start, text.length);
  return pieces;
}
