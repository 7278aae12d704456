import { expect, test } from "vitest";
import type { Corpus, Document } from "../corpus.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { type TokenIdsOptions, tokenIds } from "./token-ids.js";

const letters: Tokenizer = {
  encode: (text) => Array.from(text, (letter) => letter.charCodeAt(0) - 97),
  decode: (ids) => String.fromCharCode(...ids.map((id) => id + 97)),
  vocabSize: 27,
  produces: (id) => id >= 0 && id < 27,
  tokenText: (id) => String.fromCharCode(id + 97),
  entry: (id) => String.fromCharCode(id + 97),
  isSpecial: (id) => id === 26,
  chat: (messages) => messages.map(({ content }) => content).join("|"),
  beginOfText: undefined,
  startsWith: [],
  endOfText: 26,
};

async function* only<Item>(...items: Item[]): AsyncGenerator<Item> {
  yield* items;
}

const text = (name: string, ...parts: string[]): Document => ({ name, text: only(...parts) });

async function collect(documents: Document[], options: Partial<TokenIdsOptions> = {}): Promise<number[]> {
  const corpus: Corpus = { files: [], documents: () => only(...documents) };
  const all: number[] = [];
  for await (const ids of tokenIds(corpus, letters, { vocabSize: 27, ...options })) all.push(...Array.from(ids));
  return all;
}

test("joins documents in order, with nothing between files", async () => {
  expect(
    await collect([
      text("1", "ab", "c"),
      { name: "2", ids: only<ArrayLike<number>>([7, 8], Int32Array.of(9)) },
      text("3", "d"),
    ]),
  ) //
    .toEqual([0, 1, 2, 7, 8, 9, 3]);
});

test("puts the end of text between the documents of one file, or what is asked for between all", async () => {
  const documents = () => [
    text("1", "a"),
    { ...text("2", "b"), separate: true },
    { ...text("2", "c"), separate: true },
  ];
  expect(await collect(documents())).toEqual([0, 26, 1, 26, 2]);
  expect(await collect(documents(), { separator: null })).toEqual([0, 1, 2]);
  expect(await collect([text("1", "a"), text("2", "b")], { separator: 5 })).toEqual([0, 5, 1]);
});

test("refuses ids outside the vocabulary, naming the file and the index", async () => {
  await expect(collect([{ name: "x.npy", ids: only([1, 2], [3, 27]) }])).rejects.toThrow(
    "x.npy: token 3 has id 27, outside the model's vocabulary (0 to 26)",
  );
  await expect(collect([{ name: "x.npy", ids: only([1, -1]) }])).rejects.toThrow("token 1 has id -1");
  await expect(collect([text("t", "abz")], { vocabSize: 20 })).rejects.toThrow("t: token 2 has id 25");
  await expect(collect([text("t", "a"), text("u", "b")], { separator: 99 })).rejects.toThrow("separator: is 99");
});
