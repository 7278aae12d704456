import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { memoryFolder } from "../../../test/support/memory-folder.js";
import { mutations, readUntrusted } from "../../../test/support/untrusted-bytes.js";
import { InputError } from "../../errors.js";
import { loadTokenizer } from "./tokenizer.js";

const folder = "test/goldens/tokenizers";
const golden: { texts: string[]; ids: Record<string, number[][]> } = JSON.parse(
  readFileSync(`${folder}/sentencepiece.json`, "utf8"),
);
const model = (kind: string) => new Uint8Array(readFileSync(`${folder}/${kind}.model`));
const open = (kind: string, files = {}) =>
  loadTokenizer(memoryFolder({ "tokenizer.model": model(kind), ...files }, kind));

test.each(Object.keys(golden.ids))("%s: tokenizer.model alone gives SentencePiece's ids", async (kind) => {
  const tokenizer = await open(kind);
  const found = golden.texts.map((text) => tokenizer.encode(text));
  expect(found).toEqual(golden.ids[kind]);
});

test("control pieces are found where they are written out, and bytes and marks decoded", async () => {
  const tokenizer = await open("llama");
  expect(tokenizer).toMatchObject({ beginOfText: 1, endOfText: 2, vocabSize: 500, startsWith: [] });
  const ids = tokenizer.encode("caf\u00e9 \u6f22");
  const marked = tokenizer.encode("<s>caf\u00e9</s>");
  expect([marked[0], marked.at(-1)]).toEqual([1, 2]);
  expect(tokenizer.decode(marked)).toBe("<s>caf\u00e9</s>");
  expect(tokenizer.decode(ids)).toBe("caf\u00e9 \u6f22");
});

test("takes long runs of what no piece spells, before a piece of the user's own too, and of bytes that are no text", async () => {
  const long = 50_000;
  const tokenizer = await open("llama");
  const bytes = tokenizer.encode("\u6f22".repeat(long));
  expect(bytes).toHaveLength(3 * long + 1);
  expect(tokenizer.decode(bytes)).toBe("\u6f22".repeat(long));
  const first = bytes.at(-3)!;
  expect(tokenizer.decode(Array(3 * long).fill(first))).toBe("\ufffd".repeat(3 * long));
  const users = await open("gemma");
  const [piece] = users.encode("\n\n").slice(-1);
  expect(users.encode(`${"xq".repeat(2 * long)}\n\n`).at(-1)).toBe(piece);
});

test("puts begin-of-text first where the family's own tokenizer does, unless it is told not to", async () => {
  const starts = async (files: Record<string, string>) => (await open("llama", files)).startsWith;
  expect(await starts({ "config.json": '{"model_type":"llama"}' })).toEqual([1]);
  expect(await starts({ "config.json": '{"model_type":"gpt2"}' })).toEqual([]);
  expect(await starts({ "tokenizer_config.json": '{"add_bos_token":true}' })).toEqual([1]);
  const told = { "config.json": '{"model_type":"llama"}', "tokenizer_config.json": '{"add_bos_token":false}' };
  expect(await starts(told)).toEqual([]);
});

test("a damaged model is refused or read", async () => {
  const whole = model("unigram");
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(mutations(whole.length), async (mutate) => {
      const read = await readUntrusted(mutate(whole), async (source) => {
        const open = async (name: string) => (name === "tokenizer.model" ? source : undefined);
        const tokenizer = await loadTokenizer({ name: "model", open });
        tokenizer.decode(tokenizer.encode("The quick brown fox <sep>\n 12345 \u4f60\u597d </s>"));
      });
      if (!read) refused++;
    }),
    { numRuns: 100 },
  );
  expect(refused).toBeGreaterThan(10);
});

test("refuses what is no such model", async () => {
  const loading = loadTokenizer(memoryFolder({ "tokenizer.model": "IQ== 0\nIg== 1\n" }, "model"));
  await expect(loading).rejects.toThrow(InputError);
  await expect(loading).rejects.toThrow(/tokenizer.model: is not a SentencePiece model/);
});
