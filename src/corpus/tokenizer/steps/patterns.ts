import { EmulatedRegExp, toRegExpDetails } from "oniguruma-to-es";
import { Refusal } from "../refusal.js";
import { laterCharacter, unknownCharacter } from "./unicode-tables.js";

/** Where a pattern matches a text: start and end of each match, one after the other; of the first ones, if not all are wanted. */
export type Matcher = (text: string, wanted?: number) => number[];

/** White space as Rust and Oniguruma have it: JavaScript's \s has U+FEFF and lacks U+0085. */
export const whiteSpace = "\\p{White_Space}";

/** \w of Oniguruma, and of Rust but for two joiners. */
const wordCharacters = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}";

/**
 * The matches of a pattern of tokenizer.json, which are Oniguruma's (of the Rust tokenizers), translated to JavaScript's.
 * @param pattern `{ String }` or `{ Regex }`, checked
 * @throws Refusal if it has no translation
 */
export function matcher(pattern: unknown, field: string): Matcher {
  const { String: text, Regex: source } = pattern as { String?: string; Regex?: string };
  if (source === undefined) return text === "" ? regexMatcher(/(?:)/gu) : textMatcher(text!);
  try {
    const { pattern, flags, options } = toRegExpDetails(wordsWritten(casesWritten(source)), { global: true });
    // With the flag v, V8 takes one character at a time for [^]+.
    const anyWritten = pattern.replace(/\\[\s\S]|\[\^\]/g, (part) => (part === "[^]" ? "[\\s\\S]" : part));
    const regex = options ? new EmulatedRegExp(anyWritten, flags, options) : new RegExp(anyWritten, flags);
    return onigurumaMatcher(regex, `${field}.Regex`);
  } catch (error) {
    const reason = (error as Error).message.replace(/\s+/g, " ").slice(0, 160);
    throw new Refusal(`${field}.Regex`, `is a pattern that cannot be used: ${reason}`);
  }
}

/**
 * Matches as Oniguruma finds them, which knows Unicode 16: for what has come since stands an unassigned character, for the letter
 * whose case has changed since one that has kept it.
 * @param regex with the flag g
 */
export function onigurumaMatcher(regex: RegExp, field: string): Matcher {
  const match = regexMatcher(regex);
  return (text, wanted) => match(asUnicode16(text, field), wanted);
}

function asUnicode16(text: string, field: string): string {
  const unknown = unknownCharacter.exec(text)?.[0];
  if (unknown !== undefined) {
    const code = unknown.codePointAt(0)!.toString(16).toUpperCase();
    throw new Refusal(field, `is to be matched with U+${code}, a character that this JavaScript does not know yet`);
  }
  return text.replace(laterCharacter, (character) => {
    if (character === "\u0295") return "\u0234";
    return character.length === 1 ? "\u0378" : "\u{50000}";
  });
}

/** @param regex with the flag g */
export function regexMatcher(regex: RegExp): Matcher {
  return (text, wanted = Number.POSITIVE_INFINITY) => {
    // The Rust tokenizers find nothing in an empty text.
    if (text === "") return [];
    const found: number[] = [];
    let end = -1;
    for (const match of text.matchAll(regex)) {
      if (found.length >= 2 * wanted) break;
      const start = match.index;
      const { length } = match[0];
      // Oniguruma takes no empty match where another has just ended.
      if (length === 0 && start === end) continue;
      end = start + length;
      found.push(start, end);
    }
    return found;
  };
}

/** A text with each of its matches replaced. */
export function replaceMatches(text: string, matches: readonly number[], content: string): string {
  let replaced = "";
  let end = 0;
  for (let i = 0; i < matches.length; i += 2) {
    replaced += text.slice(end, matches[i]) + content;
    end = matches[i + 1]!;
  }
  return replaced + text.slice(end);
}

function textMatcher(sought: string): Matcher {
  return (text, wanted = Number.POSITIVE_INFINITY) => {
    const found: number[] = [];
    let at = text.indexOf(sought);
    while (at >= 0 && found.length < 2 * wanted) {
      found.push(at, at + sought.length);
      at = text.indexOf(sought, at + sought.length);
    }
    return found;
  };
}

/** Outside of brackets Oniguruma counts Latin-1's raised digits and fractions too. */
const inWord = `[${wordCharacters}\\u00b2\\u00b3\\u00b9\\u00bc-\\u00be]`;
const written: Record<string, string> = {
  "\\w": inWord,
  "\\W": inWord.replace("[", "[^"),
  "\\b": `(?:(?<=${inWord})(?!${inWord})|(?<!${inWord})(?=${inWord}))`,
  "\\B": `(?:(?<=${inWord})(?=${inWord})|(?<!${inWord})(?!${inWord}))`,
};

const writtenInBrackets: Record<string, string> = {
  "\\w": `[${wordCharacters}]`,
  "\\W": `[^${wordCharacters}]`,
  "[:word:]": `[${wordCharacters}]`,
  "[:^word:]": `[^${wordCharacters}]`,
};

/**
 * Contractions as `(?i:'s|'t)` with both cases of each letter written out: the translation would let the whole pattern ignore
 * case, under which a few marks are letters. Where two letters together have a case of their own it is left to do so.
 */
function casesWritten(source: string): string {
  return source.replace(/\(\?i:([A-Za-z'\u2019|]+)\)/g, (group, body: string) => {
    if (/ss|ff|fi|fl|st|ij|'n/i.test(body)) return group;
    const written = body.replace(/[A-Za-z]/g, (letter) => {
      const more = { s: "\u017f", k: "\u212a" }[letter.toLowerCase()] ?? "";
      return `[${letter.toLowerCase()}${letter.toUpperCase()}${more}]`;
    });
    return `(?:${written})`;
  });
}

/** The pattern with \w, \b and their like written out: the translation takes numbers such as one half for word characters. */
function wordsWritten(source: string): string {
  let depth = 0;
  return source.replace(/\\[\s\S]|\[:\^?word:\]|[[\]]/g, (part) => {
    const forms = depth > 0 ? writtenInBrackets : written;
    if (part === "[") depth++;
    else if (part === "]") depth = Math.max(0, depth - 1);
    return forms[part] ?? part;
  });
}
