import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { memoryFolder } from "../../../../test/support/memory-folder.js";
import type { Document } from "../../../corpus/corpus.js";
import { loadTokenizer } from "../../../corpus/tokenizer/tokenizer.js";
import { InputError } from "../../../errors.js";
import { beginOfWindows } from "../../../model/contexts/begin-of-text.js";
import { openFolder } from "../../files/file-source.js";
import { corpus } from "../corpus-files.js";
import { manifestFile } from "./manifest.js";
import { writeTokenFolder } from "./write-token-folder.js";

const text = "assets/corpus/books-heldout.txt";
const model = { name: "tiny-books", folder: openFolder("assets/tiny-books") };
let place: string;
let tokens: string;
let whole: number[];

async function idsOf(documents: AsyncIterable<Document>): Promise<number[]> {
  const ids: number[] = [];
  for await (const document of documents) {
    if (!("ids" in document)) throw new Error("ids are wanted");
    for await (const part of document.ids) ids.push(...Array.from(part));
  }
  return ids;
}

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), "unembed-tokens-"));
  tokens = join(place, "tokens");
  const tokenizer = await loadTokenizer(model.folder);
  await writeTokenFolder(tokens, corpus(text), model, tokenizer, { tokens: 5000, shardIds: 999, contextLength: 100 });
  whole = tokenizer.encode(await readFile(text, "utf8")).slice(0, 5000);
});
afterAll(() => rm(place, { recursive: true }));

test("holds the ids of the text, and gives them from anywhere", async () => {
  const { stored, documents } = corpus(`${tokens}/`);
  expect(await idsOf(documents())).toEqual(whole);
  for (const index of [0, 1, 998, 999, 1000, 4321, 4999]) {
    expect(await idsOf(stored!.from(index))).toEqual(whole.slice(index));
  }
  expect(stored).toMatchObject({ count: 5000, contextLength: 100, beginOfText: [] });
});

test("is refused for a model of another tokenizer, among other files, and where a shard was changed", async () => {
  const found = corpus(tokens);
  const other = { name: "other", folder: memoryFolder({ "tokenizer.json": "{}" }) };
  await expect(beginOfWindows(other, undefined, found)).rejects.toThrow(
    /holds ids of another tokenizer than that of other/,
  );
  expect(() => corpus([tokens, text])).toThrow(/give it alone/);
  const shard = join(tokens, "tokens-00002.npy");
  const bytes = await readFile(shard);
  await writeFile(shard, bytes.subarray(0, bytes.length - 2));
  await expect(idsOf(found.documents())).rejects.toThrow(InputError);
  await writeFile(shard, bytes);
});

test.each<[string, Record<string, unknown>, RegExp]>([
  ["another version", { schemaVersion: 2 }, /field "schemaVersion" is 2; this version of unembed reads 1/],
  ["a shard elsewhere", { shards: [{ file: "../a.npy" }] }, /field "shards.0.file" cannot be used/],
  ["more ids than shards", { shards: [] }, /field "counts.ids" is 5000; its shards have 0/],
  ["no window", { contextLength: 0 }, /field "contextLength" cannot be used/],
  ["windows of nothing else", { contextLength: 1, beginOfText: [0] }, /field "beginOfText" fills the whole window/],
  ["another number type", { dtype: "float32" }, /field "dtype" cannot be used/],
])("a manifest with %s is refused", async (_, change, message) => {
  const path = join(tokens, manifestFile);
  const before = await readFile(path, "utf8");
  await writeFile(path, JSON.stringify({ ...JSON.parse(before), ...change }));
  expect(() => corpus(tokens)).toThrow(message);
  await writeFile(path, before);
});
