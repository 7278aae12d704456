import * as z from "zod";
import { checkGrowth, growthLimit, Refusal } from "../refusal.js";
import { lettersOf } from "./byte-letters.js";
import { matcher, replaceMatches, whiteSpace } from "./patterns.js";
import { precompiledNormalizer } from "./precompiled.js";
import { flatten, patternShape, type Step, stepFields } from "./step.js";
import { combiningMark, controlCharacter, leftAlone, nonspacingMark } from "./unicode-tables.js";

/** A text as the model's steps see it. */
export interface Normalized {
  text: string;
  /** So many units of it come from the text's first character: something dropped before them makes them no beginning. */
  begin: number;
}

/** What is done to a text before it is split. */
export type Normalizer = (text: string) => Normalized;

/** One step. */
interface NormalizerStep {
  apply(text: string): string;
  /** What the first units of a text become, in units. Default: as many as they become by themselves. */
  beginOf?(text: string, begin: number): number;
}

/**
 * The normalizer of a tokenizer.json, character by character as the Rust tokenizers have it.
 * @throws Refusal naming the step that is unknown or cannot be used
 */
export function createNormalizer(step: Step | null | undefined): Normalizer {
  const steps = flatten(step, "normalizer").map(({ step, field }) => ({ ...single(step, field), field }));
  return (text) => {
    let normalized = text;
    let begin = text === "" ? 0 : String.fromCodePoint(text.codePointAt(0)!).length;
    for (const { apply, beginOf, field } of steps) {
      begin = beginOf === undefined ? apply(normalized.slice(0, begin)).length : beginOf(normalized, begin);
      normalized = apply(normalized);
      begin = Math.min(begin, normalized.length);
      checkGrowth(field, normalized.length, growthLimit(text.length));
    }
    return { text: normalized, begin };
  };
}

function single(step: Step, field: string): NormalizerStep {
  switch (step.type) {
    case "NFC":
    case "NFD":
    case "NFKC":
    case "NFKD":
      return { apply: normalForm(step.type) };
    case "Lowercase":
      return { apply: lowercase };
    case "StripAccents":
      return { apply: (text) => text.replace(combiningMark, "") };
    case "Nmt":
      return { apply: (text) => text.replace(nmtDropped, "").replace(nmtSpaces, " ") };
    case "ByteLevel":
      return { apply: lettersOf };
    case "Strip":
      return strip(stepFields(step, field, stripShape));
    case "Prepend": {
      const { prepend } = stepFields(step, field, z.object({ prepend: z.string() }));
      return {
        apply: (text) => (text === "" ? "" : prepend + text),
        beginOf: (_, begin) => (begin === 0 ? 0 : prepend.length + begin),
      };
    }
    case "Replace":
      return replace(stepFields(step, field, z.object({ pattern: patternShape, content: z.string() })), field);
    case "BertNormalizer":
      return { apply: bert(stepFields(step, field, bertShape)) };
    case "Precompiled": {
      const shape = z.object({ precompiled_charsmap: z.string() });
      const { precompiled_charsmap } = stepFields(step, field, shape);
      return precompiledNormalizer(precompiled_charsmap, `${field}.precompiled_charsmap`);
    }
    default:
      throw new Refusal(`${field}.type`, `is ${JSON.stringify(step.type.slice(0, 40))}, an unknown normalizer`);
  }
}

type NormalForm = "NFC" | "NFD" | "NFKC" | "NFKD";

function normalForm(form: NormalForm): (text: string) => string {
  return (text) => {
    if (isAscii(text)) return text;
    // Every second part is one of the characters that stay.
    return text
      .split(leftAlone)
      .map((part, index) => (index % 2 === 0 ? part.normalize(form) : part))
      .join("");
  };
}

const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text);

/** Character by character: a sigma at the end of a word stays the same letter. */
function lowercase(text: string): string {
  return text.includes("\u03a3")
    ? text
        .split("\u03a3")
        .map((part) => part.toLowerCase())
        .join("\u03c3")
    : text.toLowerCase();
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the ones that are dropped
const nmtDropped = /[\u0001-\u0008\u000B\u000E-\u001F\u007F\u008F\u009F]/g;
const nmtSpaces = /[\t\n\f\r\u1680\u200B-\u200F\u2028\u2029\u2581\uFEFF\uFFFD]/g;

const stripShape = z.object({ strip_left: z.boolean(), strip_right: z.boolean() });
const spaceCharacter = new RegExp(whiteSpace, "u");

function strip({ strip_left, strip_right }: z.infer<typeof stripShape>): NormalizerStep {
  // All white space lies in the first 2^16 characters.
  const startOf = (text: string): number => {
    let start = 0;
    while (strip_left && start < text.length && spaceCharacter.test(text[start]!)) start++;
    return start;
  };
  return {
    apply(text) {
      const start = startOf(text);
      let end = text.length;
      while (strip_right && end > start && spaceCharacter.test(text[end - 1]!)) end--;
      return text.slice(start, end);
    },
    beginOf: (text, begin) => Math.max(0, begin - startOf(text)),
  };
}

function replace({ pattern, content }: { pattern: unknown; content: string }, field: string): NormalizerStep {
  const match = matcher(pattern, `${field}.pattern`);
  return {
    apply(text) {
      const matches = match(text);
      if (matches.length === 0) return text;
      const length = text.length + (content.length * matches.length) / 2;
      checkGrowth(field, length, growthLimit(text.length));
      return replaceMatches(text, matches, content);
    },
    beginOf(text, begin) {
      const matches = match(text, begin + 1);
      let [length, done] = [0, 0];
      for (let i = 0; i < matches.length && matches[i]! <= begin; i += 2) {
        const [start, end] = [matches[i]!, matches[i + 1]!];
        length += start - done;
        // What stands for several characters counts as coming from the last.
        if (end > begin) return length;
        length += content.length;
        done = end;
      }
      return length + Math.max(0, begin - done);
    },
  };
}

const bertShape = z.object({
  clean_text: z.boolean(),
  handle_chinese_chars: z.boolean(),
  strip_accents: z.boolean().nullish(),
  lowercase: z.boolean(),
});
const anySpace = new RegExp(whiteSpace, "gu");
const chinese =
  /[\u{4E00}-\u{9FFF}\u{3400}-\u{4DBF}\u{20000}-\u{2A6DF}\u{2A700}-\u{2B73F}\u{2B740}-\u{2B81F}\u{2B920}-\u{2CEAF}\u{F900}-\u{FAFF}\u{2F800}-\u{2FA1F}]/gu;
const decomposed = normalForm("NFD");

function bert(options: z.infer<typeof bertShape>): (text: string) => string {
  const stripsAccents = options.strip_accents ?? options.lowercase;
  return (text) => {
    let normalized = text;
    if (options.clean_text) normalized = normalized.replace(controlCharacter, "").replace(anySpace, " ");
    if (options.handle_chinese_chars) normalized = normalized.replace(chinese, " $& ");
    if (stripsAccents) normalized = decomposed(normalized).replace(nonspacingMark, "");
    return options.lowercase ? lowercase(normalized) : normalized;
  };
}
