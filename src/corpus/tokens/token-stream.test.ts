import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { openFolder } from "../../node/files/file-source.js";
import { loadTokenizer, type Tokenizer } from "../tokenizer/tokenizer.js";
import { type TokenStreamOptions, tokenStream } from "./token-stream.js";

const tokenizer = await loadTokenizer(openFolder("assets/tiny-books"));
const book = readFileSync("assets/corpus/books-heldout.txt", "utf8");

async function* inPieces(text: string, size: number): AsyncGenerator<string> {
  for (let i = 0; i < text.length; i += size) yield text.slice(i, i + size);
}

async function collect(
  text: string,
  pieceSize: number,
  options?: TokenStreamOptions,
  by: Pick<Tokenizer, "encode"> = tokenizer,
): Promise<{ ids: number[]; parts: number }> {
  const ids: number[] = [];
  let parts = 0;
  for await (const part of tokenStream(by, inPieces(text, pieceSize), options)) {
    parts++;
    ids.push(...part);
  }
  return { ids, parts };
}

const slice = fc.tuple(fc.nat(book.length - 1), fc.nat(3000)).map(([from, length]) => book.slice(from, from + length));
const words = fc.constantFrom(
  "the",
  " and",
  "don't",
  "1234567",
  "...",
  "\u00e9t\u00e9",
  " \u4f60\u597d\u4e16\u754c",
  "<|endoftext|>",
  "e\u0301",
);
const spaces = fc.constantFrom(
  " ",
  "  ",
  "\n",
  "\n\n\n",
  "\t",
  " \n ",
  "\u00a0",
  "\u3000",
  "\ufeff",
  "\u0085",
  "\r",
  "        ",
);
const symbols = fc.constantFrom(
  "\u{1f600}",
  "\u{1f468}\u200d\u{1f469}\u200d\u{1f467}",
  "a",
  "\u0000",
  "\ufffd",
  "\u4f60",
  "-",
  "\u0e01",
);
const run = fc.tuple(fc.oneof(words, spaces, symbols), fc.integer({ min: 1, max: 400 })).map(([x, n]) => x.repeat(n));
const mixed = fc.array(fc.oneof({ weight: 4, arbitrary: words }, { weight: 3, arbitrary: spaces }, symbols, run), {
  maxLength: 60,
});

test("gives the ids of the whole text, however it comes and is cut", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        slice,
        mixed.map((parts) => parts.join("")),
      ),
      fc.integer({ min: 1, max: 500 }),
      fc.integer({ min: 8, max: 300 }),
      async (text, pieceSize, chunkLength) => {
        const { ids } = await collect(text, pieceSize, { chunkLength, lookahead: 64 });
        expect(ids).toEqual(tokenizer.encode(text));
      },
    ),
    { numRuns: 300 },
  );
});

test("cuts a book into parts and keeps little of it", async () => {
  let longest = 0;
  const watched = {
    encode(text: string) {
      longest = Math.max(longest, text.length);
      return tokenizer.encode(text);
    },
  };
  const { ids, parts } = await collect(book.slice(0, 200_000), 50_000, { chunkLength: 1000, lookahead: 200 }, watched);
  expect(ids).toEqual(tokenizer.encode(book.slice(0, 200_000)));
  expect(longest).toBeLessThanOrEqual(1201);
  expect(parts).toBeGreaterThan(150);
});

test.each([
  ["letters", "abcdefghijklmnopqrstuvwxyz"],
  ["one letter", "a"],
  ["spaces", " "],
  ["newlines", "\n"],
  ["digits", "1234567890"],
  ["Chinese", "\u7684\u4e00\u662f\u4e0d\u4e86\u5728\u4eba\u6709\u6211\u4ed6"],
  ["emoji", "\u{1f600}\u{1f601}"],
])("cuts a run of nothing but %s in bounded memory", async (_, unit) => {
  const text = `begin ${unit.repeat(Math.ceil(20_000 / unit.length))} end`;
  const { ids, parts } = await collect(text, 3000, { chunkLength: 500, lookahead: 100 });
  expect(ids).toEqual(tokenizer.encode(text));
  expect(parts).toBeGreaterThan(5);
});

test("a tokenizer that puts a space before a text is cut after the space", async () => {
  // Each word with its space is a token, and the first word gets a space.
  const ids = new Map<string, number>();
  const spaced = {
    encode: (text: string) =>
      (` ${text}`.match(/ +[^ ]*/g) ?? []).map((word) => ids.get(word) ?? ids.set(word, ids.size).get(word)!),
  };
  const text = book.slice(5000, 15_000);
  const { ids: streamed, parts } = await collect(text, 700, { chunkLength: 300, lookahead: 60 }, spaced);
  expect(streamed).toEqual(spaced.encode(text));
  expect(parts).toBeGreaterThan(10);
});

test("a text that can't be cut is cut at maxLength", async () => {
  const whole = { encode: (text: string) => [text.length] };
  const { ids } = await collect("x".repeat(10_000), 100, { chunkLength: 50, lookahead: 10, maxLength: 1000 }, whole);
  expect(ids.length).toBeGreaterThan(1);
  expect(ids.reduce((sum, length) => sum + length, 0)).toBe(10_000);
  expect(Math.max(...ids)).toBeLessThanOrEqual(1000);
});
