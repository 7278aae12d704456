import { expect, it } from "vitest";
import { loadTokenizer } from "../../corpus/tokenizer/tokenizer.js";
import { openFolder } from "../../node/files/file-source.js";
import { compiledBans, type TextBan } from "./ban.js";
import { banMatcher } from "./matching.js";
import { textWatch } from "./text-watch.js";

const tokenizer = await loadTokenizer(openFolder("assets/tiny-books"));
const endOfText = new Set([tokenizer.endOfText!]);

const watchOf = (ban: TextBan, { prompt = "It was", maxTokens = 100 } = {}) =>
  textWatch(tokenizer, banMatcher(compiledBans([ban], false)), tokenizer.encode(prompt), { endOfText, maxTokens });

/** The number of the first of the tokens that completes the ban. */
function completedBy(ban: TextBan, ids: readonly number[], options = {}): number {
  const watch = watchOf(ban, options);
  return ids.findIndex((id) => {
    const forbidden = watch.forbids(id);
    if (!forbidden) watch.push(id);
    return forbidden;
  });
}

it("finds a phrase however it is cut into tokens", () => {
  const phrase = " Mr. Boffin";
  const pieces = [...phrase].flatMap((character) => tokenizer.encode(character));
  const whole = tokenizer.encode(phrase);
  expect(pieces.length).toBeGreaterThan(whole.length);
  expect(completedBy(phrase, pieces)).toBe(pieces.length - 1);
  expect(completedBy(phrase, whole)).toBe(whole.length - 1);
  expect(completedBy("was Mr", whole)).toBe(whole.findIndex((id) => tokenizer.tokenText(id).includes("Mr")));
});

it("finds characters of several bytes when the last one comes", () => {
  const bytes = tokenizer.encode("\u4e2d");
  expect(bytes.length).toBe(3);
  expect(completedBy("\u4e2d", bytes)).toBe(2);
  // Bytes that begin a character are outside ASCII whatever they become, and letters or not.
  expect(completedBy(/[^\p{ASCII}]/u, bytes)).toBe(0);
  expect(completedBy(/\p{L}{5}/u, bytes)).toBe(-1);
  // The first byte again: what came before is no character.
  expect(completedBy(/\ufffd/, [bytes[0]!, bytes[0]!])).toBe(1);
  expect(completedBy(/\ufffd/, [bytes[0]!], { maxTokens: 1 })).toBe(0);
});

it("takes the end of the text for the end of what may undo a match", () => {
  const ids = tokenizer.encode(" NATO");
  const capitals = /\b[A-Z]{4}\b/;
  expect(completedBy(capitals, ids)).toBe(-1);
  expect(completedBy(capitals, [...ids, tokenizer.endOfText!])).toBe(ids.length);
  expect(completedBy(capitals, ids, { maxTokens: ids.length })).toBe(ids.length - 1);
});

it("goes back", () => {
  const watch = watchOf("was a cat");
  const [a, cat] = [tokenizer.encode(" a"), tokenizer.encode(" cat")];
  for (const id of [...a, ...cat.slice(0, -1)]) watch.push(id);
  expect(watch.forbids(cat.at(-1)!)).toBe(true);
  expect(watch.forbidden([...cat.slice(-1), ...a])).toEqual(cat.slice(-1));
  watch.back(a.length + cat.length - 1);
  for (const id of tokenizer.encode(" the").concat(cat)) {
    expect(watch.forbids(id)).toBe(false);
    watch.push(id);
  }
});

it("refuses a prompt that says it", () => {
  expect(() => watchOf("was")).toThrow(/^ban "was": matches the prompt itself/);
});
