import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { memoryFolder } from "../../../test/support/memory-folder.js";
import { loadTokenizer } from "./tokenizer.js";

const folder = "test/goldens/tokenizers";
const base = JSON.parse(readFileSync(`${folder}/gpt2.json`, "utf8"));
const golden: { texts: string[]; cases: Case[] } = JSON.parse(readFileSync(`${folder}/companions.json`, "utf8"));

/** Files without what all of the cases share: the vocabulary and merges of gpt2.json. */
interface Case {
  name: string;
  files: Record<string, unknown>;
  ids: number[][];
  first: number[];
}

function whole(files: Record<string, unknown>): Record<string, string> {
  const filled = Object.entries(files).map(([name, contents]) => {
    if (name === "tokenizer.json") return [name, JSON.stringify({ ...base, ...(contents as object) })];
    if (name === "vocab.json") return [name, JSON.stringify({ ...base.model.vocab, ...(contents as object) })];
    const merges = base.model.merges.map((merge: string | string[]) => [merge].flat().join(" "));
    if (name === "merges.txt") return [name, `#version: 0.2\r\n${merges.join("\r\n")}\r\n`];
    return [name, JSON.stringify(contents)];
  });
  return Object.fromEntries(filled);
}

test.each(golden.cases)("$name: as transformers has it", async ({ files, ids, first }) => {
  const tokenizer = await loadTokenizer(memoryFolder(whole(files), "model"));
  expect(golden.texts.map((text) => tokenizer.encode(text))).toEqual(ids);
  expect(tokenizer.startsWith).toEqual(first);
});

test.each<[string, Record<string, unknown>, string]>([
  ["added_tokens.json", { "<a>": "1" }, 'model/added_tokens.json: field "<a>" is no id'],
  [
    "tokenizer_config.json",
    { added_tokens_decoder: { x: {} } },
    'model/tokenizer_config.json: field "added_tokens_decoder',
  ],
  ["tokenizer_config.json", { bos_token: 5 }, 'model/tokenizer_config.json: field "bos_token" is neither'],
])("refuses %s with %j", async (name, contents, message) => {
  const loading = loadTokenizer(memoryFolder(whole({ "tokenizer.json": {}, [name]: contents }), "model"));
  await expect(loading).rejects.toThrow(message);
});

test("refuses vocab.json of a class whose steps lie in code, and merges that are none", async () => {
  const files = whole({ "vocab.json": {}, "merges.txt": "" });
  const config = '{"tokenizer_class":"WhisperTokenizer"}';
  await expect(loadTokenizer(memoryFolder({ ...files, "tokenizer_config.json": config }, "model"))).rejects.toThrow(
    /model\/vocab.json: is of a WhisperTokenizer, .*write tokenizer.json/,
  );
  await expect(loadTokenizer(memoryFolder({ ...files, "merges.txt": "a b c\n" }, "model"))).rejects.toThrow(
    "model/merges.txt: has a line that is not two tokens",
  );
});
