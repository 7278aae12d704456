import type { AddedToken } from "./files/added-token.js";
import type { TokenModel } from "./models/token-model.js";
import { Refusal } from "./refusal.js";
import type { Normalizer } from "./steps/normalizers.js";
import { whiteSpace } from "./steps/patterns.js";
import { rustWordCharacter } from "./steps/unicode-tables.js";
import { buildTrie, longestAt } from "./trie.js";

/** A part of a text: a token that is written out in it, or text for the model, whose first units may come from the text's first character. */
export type TextPart = { id: number } | { text: string; begin: number };

/** Tokens that are found in a text before the model sees it. */
export interface AddedVocabulary {
  /** What each of them is, by id. */
  readonly tokens: ReadonlyMap<number, AddedToken>;
  /** Cuts a text at them: first as it is, then, for those that are looked for in normalised text, normalised. */
  cut(text: string): TextPart[];
}

/**
 * Ids of added tokens are the model's where it has the token, else they follow one another from its size on: as in the Rust
 * tokenizers, whatever the file says.
 */
export function addedVocabulary(
  tokens: readonly AddedToken[],
  model: Pick<TokenModel, "idOf" | "size">,
  normalize: Normalizer,
): AddedVocabulary {
  const idOf = new Map<string, number>();
  const byId = new Map<number, AddedToken>();
  let next = model.size;
  for (const token of tokens) {
    if (token.content === "") continue;
    const id = idOf.get(token.content) ?? model.idOf(token.content) ?? next;
    next = Math.max(next, id + 1);
    idOf.set(token.content, id);
    byId.set(id, token);
  }
  const entries = [...byId];
  const raw = finder(entries.filter(([, token]) => !token.normalized));
  const normalized = finder(
    entries
      .filter(([, token]) => token.normalized)
      .map(([id, token]) => [id, { ...token, content: normalizedContent(token, normalize) }]),
  );
  return {
    tokens: byId,
    cut: (text) =>
      raw(text, 1).flatMap((part) => {
        if ("id" in part) return [part];
        const { text, begin } = normalize(part.text);
        return normalized(text, part.begin > 0 ? begin : 0);
      }),
  };
}

/** What is looked for of a token in normalised text. @throws Refusal if nothing is left: it would be everywhere */
export function normalizedContent(token: AddedToken, normalize: Normalizer): string {
  const { text } = normalize(token.content);
  if (text !== "") return text;
  throw new Refusal(
    "added_tokens",
    `has ${JSON.stringify(token.content.slice(0, 40))}, of which the normalizer leaves nothing`,
  );
}

const startsWithWord = new RegExp(`^${rustWordCharacter}`, "u");
const endsWithWord = new RegExp(`${rustWordCharacter}$`, "u");
const space = new RegExp(whiteSpace, "u");

type Finder = (text: string, begin: number) => TextPart[];

function finder(entries: readonly (readonly [number, AddedToken])[]): Finder {
  const tokens = entries.filter(([, { content }]) => content !== "");
  const trie = buildTrie(tokens.map(([, { content }]) => content));
  const begins = new Uint8Array(0x10000);
  const times = new Map<string, number>();
  for (const [, { content }] of tokens) {
    begins[content.charCodeAt(0)] = 1;
    times.set(content, (times.get(content) ?? 0) + 1);
  }

  return (text, begin) => {
    const parts: TextPart[] = [];
    // End of the part before.
    let done = 0;
    const addText = (end: number): void => {
      if (done < end) parts.push({ text: text.slice(done, end), begin: Math.max(0, Math.min(begin, end) - done) });
    };
    for (let at = 0; at < text.length; at++) {
      const match = begins[text.charCodeAt(at)] === 1 ? longestAt(trie, text, at) : undefined;
      if (match === undefined) continue;
      const [id, token] = tokens[match.index]!;
      const { end } = match;
      if (times.get(token.content)! > 1) throw ambiguous(token.content);
      if (!token.single_word || standsAlone(text, at, end)) {
        // What another one has swallowed is not swallowed again, and a token of which nothing is left then is none.
        const start = token.lstrip ? Math.max(done, spaceStart(text, at)) : at;
        const stop = token.rstrip ? spaceEnd(text, end) : end;
        addText(start);
        if (start < stop) parts.push({ id });
        done = stop;
      }
      at = end - 1;
    }
    addText(text.length);
    return parts;
  };
}

/** Of tokens that normalise to one text the Rust tokenizers take any, another one each time that they are loaded. */
function ambiguous(content: string): Refusal {
  return new Refusal(
    "added_tokens",
    `has several tokens that normalise to ${JSON.stringify(content.slice(0, 40))}, which stands in the text: it may be any of them`,
  );
}

function standsAlone(text: string, start: number, end: number): boolean {
  // A character is two units at most.
  return (
    !endsWithWord.test(text.slice(Math.max(0, start - 2), start)) && !startsWithWord.test(text.slice(end, end + 2))
  );
}

function spaceStart(text: string, end: number): number {
  let start = end;
  while (start > 0 && space.test(text[start - 1]!)) start--;
  return start;
}

function spaceEnd(text: string, start: number): number {
  let end = start;
  while (end < text.length && space.test(text[end]!)) end++;
  return end;
}
