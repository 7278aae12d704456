import type { Tokenizer } from "../../corpus/tokenizer/tokenizer.js";
import { InputError } from "../../errors.js";
import type { TokenNames } from "../../model/head/token-names.js";
import { beginningNotes, beginningPieces } from "./begun-characters.js";
import { nearTokens } from "./near-tokens.js";
import { tokenCatalogue } from "./token-catalogue.js";

/** A pictograph of its own colour, joined ones included; not the digits and signs that may become one. */
const emoji =
  /^\s*(?:\p{Emoji_Presentation}|(?![©®™])\p{Extended_Pictographic}|\u200d|\ufe0f|\p{Emoji_Modifier})+\s*$/u;

/** Tokens that a message names. */
const named = 12;

/** What selecting tokens needs from outside. */
export interface SelectorOptions {
  /** Where the selector was given, for messages. */
  place?: string | undefined;
  /** Reads the lines of a list of tokens (`@file:`). Without it, lists are refused. */
  readList?: ((path: string) => Promise<string>) | undefined;
  /** Which texts a pattern matches; without it as long as that takes, which for some patterns is for ever. */
  matchTexts?: ((pattern: RegExp, texts: readonly string[]) => readonly boolean[]) | undefined;
  /** Told what a selector stands for that one might not expect: what else the pieces of its characters begin. */
  onNote?: ((note: string) => void) | undefined;
}

/**
 * Ids of the tokens that a selector stands for, ascending: the text of one token, with or without quotes and escapes (`" the"`,
 * `\n`); `id:262`; `/regex/u` over the tokens' texts; `@forms:lord`, with and without a space and in three cases; `@emoji`;
 * `@script:Han`; `@file:list.txt`, a selector a line. Patterns and sets leave special tokens out, which only their id or text
 * names. Of characters that have no token, sets take the pieces that begin them and little else. Without a tokenizer, tokens are
 * named by `id:N` alone.
 * @throws InputError if it stands for no token, a text is several or that of several, or a pattern matches everything
 */
export async function selectTokens(
  selector: string,
  vocabulary: Tokenizer | TokenNames,
  options: SelectorOptions = {},
): Promise<number[]> {
  const list = /^@file:(.*)$/s.exec(selector)?.[1];
  const here = `${options.place === undefined ? "" : `${options.place}: `}token ${JSON.stringify(selector)}`;
  if (list === undefined) return selectHere(selector, here, vocabulary, options);
  if (list === "") throw new InputError(here, "names no file: @file:PATH is wanted");
  if (options.readList === undefined) throw new InputError(list, "lists of tokens cannot be read here");
  const lines = (await options.readList(list)).replace(/^\ufeff/, "").split(/\r?\n/);
  const ids = lines.flatMap((line, index) => {
    if (line === "") return [];
    const place = `${list}: line ${index + 1}`;
    if (line.startsWith("@file:")) throw new InputError(place, "names another list; a list may not");
    return selectHere(line, `${place}: token ${JSON.stringify(line)}`, vocabulary, options);
  });
  if (ids.length === 0) throw new InputError(list, "lists no token");
  return [...new Set(ids)].sort((a, b) => a - b);
}

function selectHere(
  selector: string,
  place: string,
  vocabulary: Tokenizer | TokenNames,
  options: SelectorOptions,
): number[] {
  const id = /^id:(\d+)$/.exec(selector)?.[1];
  if (id !== undefined) return [checkedId(Number(id), place, vocabulary)];
  if (selector.startsWith("@word:")) {
    throw new InputError(place, "is a word of several tokens, which is an edit by itself: it can be in no list");
  }
  if (!("encode" in vocabulary)) {
    throw new InputError(place, "is named by text, and the model has no tokenizer.json: name it as id:N");
  }
  const forms = /^@forms:(.*)$/s.exec(selector)?.[1];
  if (forms !== undefined) return formsOf(literal(forms, place), place, vocabulary, options);
  const pattern = patternOf(selector, place);
  if (pattern === undefined) return [oneToken(selector, place, vocabulary)];
  if (!selector.startsWith("@")) return matching(pattern, place, vocabulary, options);
  const pieces = beginningPieces(vocabulary, (text) => pattern.test(text));
  const notes = beginningNotes(pieces, selector);
  const whole = matchingIds(pattern, vocabulary, options);
  const found = [...whole, ...pieces.flatMap(({ id, mostly }) => (mostly ? [id] : []))].sort((a, b) => a - b);
  const { length } = plainTokens(vocabulary).ids;
  checkFound([...new Set(found)], length, place, notes);
  for (const note of notes) options.onNote?.(note);
  return [...new Set(found)];
}

/** A word as it may stand in a text: with and without a space before it; as it is, in lower, Title and UPPER case. */
function formsOf(word: string, place: string, tokenizer: Tokenizer, { onNote }: SelectorOptions): number[] {
  if (word.trim() === "") throw new InputError(place, "is empty: @forms:WORD is wanted");
  const bare = word.trim();
  const [first, ...others] = Array.from(bare);
  const title = first!.toUpperCase() + others.join("").toLowerCase();
  const cases = [bare, bare.toLowerCase(), title, bare.toUpperCase()];
  const { idsOf } = tokenCatalogue(tokenizer);
  const texts = [...new Set(cases.flatMap((one) => [one, ` ${one}`]))];
  const tokensOf = (text: string) => (idsOf.get(text) ?? []).filter((id) => isPlainForm(id, tokenizer));
  const found = texts.flatMap(tokensOf);
  const shown = (list: readonly string[]) => list.map((text) => JSON.stringify(text)).join(", ");
  if (found.length === 0) {
    throw new InputError(
      place,
      `none of its forms is one token: ${shown(texts)}; of several tokens it is @word:${word}`,
    );
  }
  const split = texts.filter((text) => tokensOf(text).length === 0);
  if (split.length > 0) onNote?.(`forms of several tokens are left out: ${shown(split)} (@word: edits such)`);
  return [...new Set(found)].sort((a, b) => a - b);
}

const isPlainForm = (id: number, tokenizer: Tokenizer): boolean =>
  !tokenizer.isSpecial(id) && !isByteEntry(id, tokenizer);

function checkedId(id: number, place: string, vocabulary: Tokenizer | TokenNames): number {
  const { produces, vocabSize } = vocabulary;
  if (id < vocabSize && produces(id)) return id;
  const owner = "encode" in vocabulary ? "tokenizer" : "model";
  throw new InputError(place, `does not exist: the ${owner} has ids up to ${vocabSize - 1}`);
}

/** The pattern that a selector of several tokens stands for. */
function patternOf(selector: string, place: string): RegExp | undefined {
  if (selector === "@emoji") return emoji;
  const script = /^@script:(\w+)$/.exec(selector)?.[1];
  const regex = /^\/(.+)\/([a-z]*)$/s.exec(selector);
  try {
    if (script !== undefined) return new RegExp(`\\p{Script=${script}}`, "u");
    // "g" and "y" would make a match depend on the one before.
    if (regex !== null) return new RegExp(regex[1]!, regex[2]!.replace(/[gy]/g, ""));
  } catch (error) {
    throw new InputError(place, script === undefined ? (error as Error).message : "is no Unicode script");
  }
  if (/^@(?:script|emoji|forms)/.test(selector)) {
    throw new InputError(place, "is no set: known are @emoji, @script:NAME, @forms:WORD, @file:PATH");
  }
  return undefined;
}

function matching(pattern: RegExp, place: string, tokenizer: Tokenizer, options: SelectorOptions): number[] {
  const found = matchingIds(pattern, tokenizer, options);
  checkFound(found, plainTokens(tokenizer).ids.length, place);
  return found;
}

function matchingIds(pattern: RegExp, tokenizer: Tokenizer, { matchTexts }: SelectorOptions): number[] {
  const { ids, texts } = plainTokens(tokenizer);
  const matches = matchTexts ? matchTexts(pattern, texts) : texts.map((text) => pattern.test(text));
  return ids.filter((_, index) => matches[index]);
}

/** All tokens but the special ones. */
function plainTokens(tokenizer: Tokenizer) {
  const all = tokenCatalogue(tokenizer);
  const isPlain = (_: unknown, index: number) => !tokenizer.isSpecial(all.ids[index]!);
  return { ids: all.ids.filter(isPlain), texts: all.texts.filter(isPlain) };
}

function checkFound(found: readonly number[], all: number, place: string, notes: readonly string[] = []): void {
  const none = "matches no token (special ones are named by their text or id)";
  if (found.length === 0) throw new InputError(place, [none, ...notes].join("; "));
  if (found.length === all) throw new InputError(place, `matches all ${all} tokens`);
}

/** A text as it was written: quotes around it and escapes in it are read as in JSON. */
export function literal(selector: string, place: string): string {
  const quoted = /^"(.*)"$/s.exec(selector)?.[1];
  const inside = quoted ?? selector;
  if (!inside.includes("\\")) return inside;
  try {
    const escaped = inside.replace(/(?<!\\)"/g, '\\"').replace(/\p{Cc}/gu, (c) => JSON.stringify(c).slice(1, -1));
    return JSON.parse(`"${escaped}"`);
  } catch {
    throw new InputError(place, 'has a broken escape; known are \\n, \\t, \\r, \\\\, \\" and \\u0041');
  }
}

function oneToken(selector: string, place: string, tokenizer: Tokenizer): number {
  const text = literal(selector, place);
  if (text === "") throw new InputError(place, "is empty: the text of a token is wanted");
  const shown = (ids: readonly number[]) =>
    ids.slice(0, named).map((id) => `${JSON.stringify(tokenizer.tokenText(id))} (id:${id})`);
  const same = tokenCatalogue(tokenizer).idsOf.get(text) ?? [];
  // A vocabulary with a token for every byte has one besides for the letter that the byte is.
  const letters = same.filter((id) => !isByteEntry(id, tokenizer));
  if (same.length === 1 || letters.length === 1) return letters[0] ?? same[0]!;
  if (same.length > 1) {
    const ids = same.map((id) => `id:${id} (entry ${JSON.stringify(tokenizer.entry(id))})`);
    const more = same.length > named ? `, ... ${same.length - named} more` : "";
    throw new InputError(
      place,
      `is shown by ${same.length} tokens; name one by its id: ${ids.slice(0, named).join(", ")}${more}`,
    );
  }
  const parts = tokenizer.encode(text);
  if (parts.length === 1 && !tokenizer.isSpecial(parts[0]!)) return parts[0]!;
  const spaced = tokenizer.encode(` ${text}`);
  const near = shown(nearTokens(text, tokenizer)).join(", ");
  const choices = [
    ...(spaced.length === 1 && !tokenizer.isSpecial(spaced[0]!)
      ? [`with a space before it, it is one: ${shown(spaced)[0]}`]
      : []),
    ...(near === "" ? [] : [`near it are ${near}`]),
    ...(parts.length > 1 ? [`as a word of several tokens it is @word:${selector}`] : []),
    "name each by its text or id:N",
  ];
  const what =
    parts.length > 1
      ? `is ${parts.length} tokens: ${shown(parts).join(" ")}${parts.length > named ? " ..." : ""}`
      : "is no token of this vocabulary";
  throw new InputError(place, [what, ...choices].join("; "));
}

function isByteEntry(id: number, { entry, tokenText }: Tokenizer): boolean {
  return /^<0x[0-9a-f]{2}>$/i.test(entry(id)!) && tokenText(id) !== entry(id);
}
