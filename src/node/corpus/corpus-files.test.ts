import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Corpus } from "../../corpus/corpus.js";
import { loadTokenizer } from "../../corpus/tokenizer/tokenizer.js";
import { tokenIds } from "../../corpus/tokens/token-ids.js";
import { windows } from "../../corpus/tokens/windows.js";
import { InputError } from "../../errors.js";
import { openFolder } from "../files/file-source.js";
import { corpus } from "./corpus-files.js";

let folder = "";
const at = (name: string) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "corpus-"));
  mkdirSync(at("books/deep"), { recursive: true });
  mkdirSync(at("nothing"));
  writeFileSync(at("books/b.txt"), "second\r\n");
  writeFileSync(at("books/a.txt"), "\ufefffirst\n");
  writeFileSync(at("books/deep/c.text"), "third");
  writeFileSync(at("books/README.md"), "about the books");
  writeFileSync(at("books/picture.png"), "no text");
  writeFileSync(at("books/[b].txt"), "odd name");
  writeFileSync(at("latin1.txt"), Uint8Array.from([99, 97, 102, 0xe9, 10]));
  writeFileSync(at("empty.txt"), "");
  mkdirSync(at("devices"));
  symlinkSync("/dev/zero", at("devices/zero.txt"));
});

afterAll(() => rmSync(folder, { recursive: true }));

async function texts(from: Corpus): Promise<string[]> {
  const found: string[] = [];
  for await (const document of from.documents()) {
    if (!("text" in document)) throw new Error("a text is wanted");
    let text = "";
    for await (const part of document.text) text += part;
    found.push(text);
  }
  return found;
}

test("reads files, globs in order, and folders", async () => {
  expect(await texts(corpus(at("books/b.txt")))).toEqual(["second\n"]);
  expect(await texts(corpus([at("books/b.txt"), at("books/a.txt")]))).toEqual(["second\n", "first\n"]);
  expect(await texts(corpus(at("books/?.txt")))).toEqual(["first\n", "second\n"]);
  expect(await texts(corpus(at("books")))).toEqual(["odd name", "first\n", "second\n", "third"]);
  expect(corpus(at("books/?.txt")).files).toEqual([
    { name: at("books/a.txt"), bytes: 9 },
    { name: at("books/b.txt"), bytes: 8 },
  ]);
});

test("a folder that holds itself by symlinks is read once, by its own path", async () => {
  mkdirSync(at("loop/inside"), { recursive: true });
  writeFileSync(at("loop/one.txt"), "one");
  writeFileSync(at("loop/inside/two.txt"), "two");
  for (const [to, from] of [
    ["loop", "loop/a"],
    ["loop", "loop/z"],
    ["loop", "loop/inside/up"],
    ["books/deep", "loop/other"],
  ]) {
    symlinkSync(at(to!), at(from!), "dir");
  }
  const wanted = ["loop/inside/two.txt", "loop/one.txt", "loop/other/c.text"].map(at);
  expect(corpus(at("loop")).files.map(({ name }) => name)).toEqual(wanted);
  expect(corpus(at("loop/**/*.t*xt")).files.map(({ name }) => name)).toEqual(wanted);
});

test("a path that exists is no pattern", async () => {
  expect(await texts(corpus(at("books/[b].txt")))).toEqual(["odd name"]);
});

test("can be read again", async () => {
  const books = corpus(at("books/a.txt"));
  expect([await texts(books), await texts(books)]).toEqual([["first\n"], ["first\n"]]);
});

test.each<[string, () => string | string[], RegExp]>([
  ["a missing file", () => at("missing.txt"), /missing.txt: does not exist, and as a pattern matches no file/],
  ["a pattern without a match", () => at("books/*.csv"), /\*.csv: does not exist, and as a pattern matches no file/],
  ["a folder without text", () => at("nothing"), /nothing: no .txt, .*.parquet file is in the folder/],
  ["a path through a file", () => at("empty.txt/x"), /does not exist/],
  ["an empty file", () => at("empty.txt"), /empty.txt: is empty/],
  ["no file", () => [], /no file is given/],
  ["standard input twice", () => ["-", "-"], /-: standard input can be read only once/],
  ["a device", () => "/dev/null", /is not a regular file/],
  ["a symlink to a device in a folder", () => at("devices"), /devices\/zero.txt: is not a regular file/],
])("refuses %s", (_, paths, message) => {
  expect(() => corpus(paths())).toThrow(InputError);
  expect(() => corpus(paths())).toThrow(message);
});

test("says where a file is not UTF-8, and when it is gone", async () => {
  await expect(texts(corpus(at("latin1.txt")))).rejects.toThrow(/latin1.txt: byte 3 \(0xe9\) is not UTF-8/);
  writeFileSync(at("gone.txt"), "text");
  const gone = corpus(at("gone.txt"));
  rmSync(at("gone.txt"));
  await expect(texts(gone)).rejects.toThrow(/gone.txt: does not exist/);
});

test("the golden text makes 23,236 contexts in windows of 256", async () => {
  const tokenizer = await loadTokenizer(openFolder("assets/tiny-books"));
  const text = corpus("test/goldens/tiny-books/text.txt");
  let contexts = 0;
  let count = 0;
  let last = 0;
  for await (const window of windows(tokenIds(text, tokenizer, { vocabSize: 8192 }), { contextLength: 256 })) {
    contexts += window.length;
    count++;
    last = window.length;
  }
  expect([contexts, count, last]).toEqual([23_236, 91, 23_236 % 256]);
});
