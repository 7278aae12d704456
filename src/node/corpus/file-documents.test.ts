import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CorpusOptions } from "../../corpus/file-documents.js";
import { loadTokenizer } from "../../corpus/tokenizer/tokenizer.js";
import { tokenIds } from "../../corpus/tokens/token-ids.js";
import { writeNpy } from "../../tensor/npy.js";
import { openFolder } from "../files/file-source.js";
import { corpus } from "./corpus-files.js";

const tokenizer = await loadTokenizer(openFolder("assets/tiny-books"));
const text = readFileSync("test/goldens/tiny-books/check.txt", "utf8").slice(0, 6000);
const documents = [text.slice(0, 1000), text.slice(1000, 1500), "", text.slice(1500)];
const separated = documents.flatMap((document, i) => [...(i > 0 ? [0] : []), ...tokenizer.encode(document)]);
const whole = tokenizer.encode(text);

let folder = "";
const at = (name: string) => join(folder, name);
const lines = documents.map((document, id) => JSON.stringify({ id, text: document })).join("\n");

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "formats-"));
  writeFileSync(at("a.txt"), text);
  writeFileSync(at("a.TXT.GZ"), gzipSync(text));
  writeFileSync(at("a.log"), text);
  writeFileSync(at("a.jsonl"), lines);
  writeFileSync(at("a.ndjson.gz"), gzipSync(lines));
  writeFileSync(at("a.json"), JSON.stringify(documents, null, 2));
  writeFileSync(at("lines.json"), lines);
  writeFileSync(at("body.jsonl"), lines.replaceAll('"text"', '"body"'));
  const ids = Uint16Array.from(whole);
  const data = new Uint8Array(ids.buffer);
  writeFileSync(at("a.npy"), writeNpy({ dtype: "U16", shape: [ids.length], data }));
  writeFileSync(at("a.bin"), data);
  writeFileSync(at("wide.bin"), new Uint8Array(Uint32Array.from(whole).buffer));
});

afterAll(() => rmSync(folder, { recursive: true }));

async function idsOf(name: string, options?: CorpusOptions): Promise<number[]> {
  const all: number[] = [];
  for await (const ids of tokenIds(corpus(name, options), tokenizer, { vocabSize: 8192 })) all.push(...Array.from(ids));
  return all;
}

test.each<[string, CorpusOptions]>([
  ["a.txt", {}],
  ["a.TXT.GZ", {}],
  ["a.log", {}],
  ["a.npy", {}],
  ["a.bin", { tokenDType: "uint16" }],
  ["wide.bin", { tokenDType: "uint32" }],
])("%s gives the ids of its text", async (name, options) => {
  expect(await idsOf(at(name), options)).toEqual(whole);
});

test.each<[string, CorpusOptions]>([
  ["a.jsonl", {}],
  ["a.ndjson.gz", {}],
  ["a.json", {}],
  ["lines.json", {}],
  ["body.jsonl", { field: "body" }],
])("%s gives the ids of its documents, the end of text between them", async (name, options) => {
  expect(await idsOf(at(name), options)).toEqual(separated);
});

test("reads Zstandard", async () => {
  expect(await idsOf("test/goldens/text-formats/text.txt.zst")).toEqual(whole);
});

test("reads Parquet", async () => {
  const { required } = JSON.parse(readFileSync("test/goldens/text-formats/parquet.json", "utf8")) as {
    required: string[];
  };
  const wanted = required.flatMap((document, i) => [...(i > 0 ? [0] : []), ...tokenizer.encode(document)]);
  expect(await idsOf("test/goldens/text-formats/plain.parquet")).toEqual(wanted);
  await expect(idsOf("test/goldens/text-formats/plain.parquet", { column: "body" })).rejects.toThrow(
    /plain.parquet: column "body" is not there; of columns of text it has "text"/,
  );
});

test("says what a file needs", async () => {
  await expect(idsOf(at("a.bin"))).rejects.toThrow(/a.bin: a .bin file doesn't say its number type: give uint16 or/);
  await expect(idsOf(at("body.jsonl"))).rejects.toThrow(
    /body.jsonl line 1: has no field "text"; its fields: "id", "body"/,
  );
  writeFileSync(at("b.npy.gz"), gzipSync("x"));
  await expect(idsOf(at("b.npy.gz"))).rejects.toThrow(/b.npy.gz: decompress it first/);
  await expect(idsOf(at("a.bin"), { tokenDType: "uint32" })).rejects.toThrow(/a.bin: token 0 has id \d+, outside/);
});

test("a git-lfs pointer is no text, whatever it stands for", async () => {
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 12345678\n`;
  for (const name of ["lfs.txt", "lfs.jsonl.zst", "lfs.parquet", "lfs.npy"]) {
    writeFileSync(at(name), pointer);
    await expect(idsOf(name.replace(/^/, `${folder}/`))).rejects.toThrow(
      `${name}: is a git-lfs pointer that stands for a file of 12345678 bytes: run "git lfs install" and "git lfs pull"`,
    );
  }
  // Text about one is text.
  writeFileSync(at("about.txt"), `${pointer.repeat(20)}`);
  expect((await idsOf(`${folder}/about.txt`)).length).toBeGreaterThan(100);
});
