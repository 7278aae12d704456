import { expect, test } from "vitest";
import { ggufBytes } from "../../../test/support/gguf-bytes.js";
import { bytesSource } from "../../tensor/byte-source.js";
import { readGgufFile } from "../../tensor/gguf/gguf-file.js";
import { ggufMetadata } from "./gguf-metadata.js";
import { tokenizerJson } from "./tokenizer-json.js";

const tokenizerOf = async (tokens: string[]) => {
  const bytes = ggufBytes({
    metadata: [
      ["general.architecture", { kind: "string", value: "llama" }],
      ["tokenizer.ggml.model", { kind: "string", value: "llama" }],
      ["tokenizer.ggml.tokens", { kind: "array", of: "string", items: tokens }],
    ],
  });
  return tokenizerJson(ggufMetadata(await readGgufFile(bytesSource("made.gguf", bytes))));
};

test("merges are the pairs of pieces that make a piece", async () => {
  const { model } = JSON.parse((await tokenizerOf(["<unk>", "a", "b", "ab", "abb", "bb"]))!);
  expect(model.merges).toEqual([
    ["a", "b"],
    ["a", "bb"],
    ["ab", "b"],
    ["b", "b"],
  ]);
});

test("refuses a piece too long to be cut at every place", async () => {
  const longest = "a".repeat(512);
  expect(await tokenizerOf(["<unk>", "a", longest])).toContain(longest);
  await expect(tokenizerOf(["<unk>", "a", `${longest}a`])).rejects.toThrow(
    /^made\.gguf: field "tokenizer\.ggml\.tokens" holds a piece of 513 characters; 512 are the most/,
  );
});
