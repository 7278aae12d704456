import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { ggufArchitectures } from "../../src/model/gguf/families.js";
import { openModel } from "../../src/model/model.js";
import { createEngine } from "../../src/node/engine/onnx-engine.js";
import { resolveModelFolder } from "../../src/node/hub/model-folder.js";

interface Expected {
  ids: number[];
  positions: number[];
  files: Record<string, string>;
  tokenised: Record<string, { text: string; ids: number[] }[]>;
}

const folder = "test/goldens/gguf";
const readExpected = (path: string) => JSON.parse(readFileSync(path, "utf8")) as Expected;
const expected = readExpected(`${folder}/expected.json`);
const families = readExpected(`${folder}/families/expected.json`);
const engine = createEngine({ threads: 1 });
afterAll(() => engine.close());

const open = async (file: string) => openModel(await resolveModelFolder(`${folder}/${file}`), engine, file);

/** The largest difference of log-probabilities from what is expected of a file, as a share of the largest magnitude. */
async function difference(file: string, { ids, positions, files }: Expected, name: string): Promise<number> {
  const model = await open(file);
  const { logits } = await model.forward(ids, { logits: true });
  const exact = new Float32Array(new Uint8Array(Buffer.from(files[name]!, "base64")).buffer);
  const { vocabSize } = model;
  expect(exact.length).toBe(positions.length * vocabSize);
  const largest = exact.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  let worst = 0;
  positions.forEach((position, index) => {
    const z = logits!.subarray(position * vocabSize, (position + 1) * vocabSize);
    const normalizer = Math.log(z.reduce((sum, value) => sum + Math.exp(value), 0));
    for (let w = 0; w < vocabSize; w++) {
      const distance = Math.abs(z[w]! - normalizer - exact[index * vocabSize + w]!);
      worst = Number.isNaN(distance) ? Number.POSITIVE_INFINITY : Math.max(worst, distance);
    }
  });
  return worst / largest;
}

test.each(Object.keys(expected.files))("%s: log-probabilities as PyTorch on the dequantised weights", async (file) => {
  expect(await difference(file, expected, file)).toBeLessThan(1e-5);
});

test.each(Object.keys(families.files))(
  "%s, as llama.cpp stores it: log-probabilities as transformers",
  async (name) => {
    expect(await difference(`families/${name}.gguf`, families, name)).toBeLessThan(2e-6);
  },
);

test("every architecture that is read is among these", () => {
  const read = new Set(["gpt2"]);
  for (const name of Object.keys(families.files)) {
    const bytes = readFileSync(`${folder}/families/${name}.gguf`).toString("latin1");
    read.add(/general\.architecture[\s\S]{12}([\w-]+)/.exec(bytes)![1]!.replace(/[^\w-].*/, ""));
  }
  expect(ggufArchitectures.filter((name) => ![...read].some((found) => found.startsWith(name)))).toEqual([]);
});

describe("tokenizers", () => {
  test.each(Object.entries(expected.tokenised))("%s: ids as llama.cpp's", async (file, texts) => {
    const tokenizer = await (await open(file)).tokenizer();
    // The last text writes out special tokens, which llama.cpp was told to take as text.
    for (const { text, ids } of texts.slice(0, -1)) {
      expect(tokenizer.encode(text)).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(text);
    }
  });

  test("special tokens that a text writes out are found", async () => {
    const tokenizer = await (await open("tiny-llama-F32.gguf")).tokenizer();
    expect(tokenizer.encode("a</s>b")).toContain(2);
    expect([tokenizer.beginOfText, tokenizer.endOfText]).toEqual([1, 2]);
    expect(tokenizer.isSpecial(0)).toBe(true);
  });
});
