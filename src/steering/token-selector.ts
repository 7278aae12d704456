import type { Tokenizer } from "../corpus/tokenizer.js";
import { InputError } from "../errors.js";

/** A pictograph of its own colour, joined ones included; not the digits and signs that may become one. */
const emoji =
  /^\s*(?:\p{Emoji_Presentation}|(?![©®™])\p{Extended_Pictographic}|\u200d|\ufe0f|\p{Emoji_Modifier})+\s*$/u;

/** Tokens offered where the one asked for does not exist. */
const offered = 5;

/** Reads the lines of a list of tokens (`@file:`). */
export type ReadList = (path: string) => Promise<string>;

/**
 * Ids of the tokens that a selector stands for, ascending: the text of one token, with or without quotes and escapes (`" the"`,
 * `\n`); `id:262`; `/regex/u` over the tokens' texts; `@emoji`; `@script:Han`; `@file:list.txt`, a selector a line.
 * @throws InputError if it stands for no token, a text is several, or a pattern matches everything
 */
export async function selectTokens(selector: string, tokenizer: Tokenizer, readList: ReadList): Promise<number[]> {
  const place = `token ${selector}`;
  const list = /^@file:(.+)$/s.exec(selector)?.[1];
  if (list !== undefined) {
    const lines = (await readList(list)).split(/\r?\n/).filter((line) => line !== "");
    if (lines.length === 0) throw new InputError(list, "lists no token");
    const ids = lines.map((line) => {
      if (line.startsWith("@file:")) throw new InputError(list, "lists another list");
      return selectHere(line, `${list}: token ${line}`, tokenizer);
    });
    return [...new Set(ids.flat())].sort((a, b) => a - b);
  }
  return selectHere(selector, place, tokenizer);
}

function selectHere(selector: string, place: string, tokenizer: Tokenizer): number[] {
  const id = /^id:(\d+)$/.exec(selector)?.[1];
  if (id !== undefined) return [checkedId(Number(id), place, tokenizer)];
  const pattern = patternOf(selector, place);
  return pattern === undefined
    ? [oneToken(literal(selector, place), place, tokenizer)]
    : matching(pattern, place, tokenizer);
}

function checkedId(id: number, place: string, { produces, vocabSize }: Tokenizer): number {
  if (id < vocabSize && produces(id)) return id;
  throw new InputError(place, `does not exist: the tokenizer has ids up to ${vocabSize - 1}`);
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
  if (/^@(?:script|emoji)/.test(selector))
    throw new InputError(place, "is no set: known are @emoji, @script:NAME, @file:PATH");
  return undefined;
}

function matching(pattern: RegExp, place: string, { vocabSize, produces, tokenText }: Tokenizer): number[] {
  const found: number[] = [];
  let tokens = 0;
  for (let id = 0; id < vocabSize; id++) {
    if (!produces(id)) continue;
    tokens++;
    if (pattern.test(tokenText(id))) found.push(id);
  }
  if (found.length === 0) throw new InputError(place, "matches no token");
  if (found.length === tokens) throw new InputError(place, `matches all ${tokens} tokens`);
  return found;
}

/** A text as it was written: quotes around it and escapes in it are read as in JSON. */
function literal(selector: string, place: string): string {
  const quoted = /^"(.*)"$/s.exec(selector)?.[1];
  const inside = quoted ?? selector;
  if (!inside.includes("\\")) return inside;
  try {
    return JSON.parse(`"${inside.replace(/(?<!\\)"/g, '\\"')}"`);
  } catch {
    throw new InputError(place, 'has a broken escape; known are \\n, \\t, \\r, \\\\, \\" and \\u0041');
  }
}

function oneToken(text: string, place: string, tokenizer: Tokenizer): number {
  const { vocabSize, produces, tokenText } = tokenizer;
  for (let id = 0; id < vocabSize; id++) if (produces(id) && tokenText(id) === text) return id;
  const parts = tokenizer.encode(text);
  if (parts.length === 1) return parts[0]!;
  const shown = (id: number) => `${JSON.stringify(tokenText(id))} (id:${id})`;
  const spaced = tokenizer.encode(` ${text}`);
  const near = nearest(text, tokenizer).map(shown).join(", ");
  throw new InputError(
    place,
    `is ${parts.length} tokens: ${parts.slice(0, 12).map(shown).join(" ")}` +
      (spaced.length === 1 ? `; with a space before it, it is one: ${shown(spaced[0]!)}` : "") +
      (near === "" ? "" : `; near it are ${near}`),
  );
}

/** Tokens whose text begins with, or is the beginning of, what was asked for. */
function nearest(text: string, { vocabSize, produces, tokenText }: Tokenizer): number[] {
  const wanted = text.trim().toLowerCase();
  const found: { id: number; distance: number }[] = [];
  for (let id = 0; id < vocabSize; id++) {
    const other = produces(id) ? tokenText(id).trim().toLowerCase() : "";
    if (other.length < 2 || wanted.length < 2) continue;
    if (other.startsWith(wanted) || wanted.startsWith(other)) {
      found.push({ id, distance: Math.abs(other.length - wanted.length) });
    }
  }
  return found
    .sort((a, b) => a.distance - b.distance || a.id - b.id)
    .slice(0, offered)
    .map(({ id }) => id);
}
