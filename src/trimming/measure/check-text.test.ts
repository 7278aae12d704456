import { expect, test } from "vitest";
import type { Corpus, Document } from "../../corpus/corpus.js";
import type { Tokenizer } from "../../corpus/tokenizer/tokenizer.js";
import { checkText } from "./check-text.js";

/** A token a character; of conversations the contents. */
const tokenizer = {
  encode: (text: string) => Array.from(text, () => 0),
  chat: (messages) => messages.map(({ content }) => `${content} `).join(""),
} satisfies Partial<Tokenizer> as unknown as Tokenizer;

const corpusOf = (...documents: Document[]): Corpus => ({
  files: [],
  async *documents() {
    yield* documents;
  },
});

async function* once<Value>(value: Value) {
  yield value;
}

test("a text of so many tokens is the beginning of the corpus, to the end of a word", async () => {
  const texts = [once("one two"), once(" three four five")].map((text, i) => ({ name: `${i}`, text }));
  expect(await checkText(corpusOf(...texts), tokenizer, 10)).toBe("one two three");
});

test("conversations are read as the model was taught them", async () => {
  const messages = [
    { role: "user", content: "Hi" },
    { role: "bot", content: "Oh" },
  ];
  expect(await checkText(corpusOf({ name: "chat", messages }), tokenizer, 100)).toBe("Hi Oh ");
});

test("token ids are no text", async () => {
  const reading = checkText(corpusOf({ name: "ids.npy", ids: once([1, 2]) }), tokenizer, 100);
  await expect(reading).rejects.toThrow("ids.npy: is token ids; text is wanted");
});
