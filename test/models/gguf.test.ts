import { readFileSync } from "node:fs";
import { afterAll, describe, expect, test } from "vitest";
import { openModel } from "../../src/model/model.js";
import { createEngine } from "../../src/node/engine/onnx-engine.js";
import { resolveModelFolder } from "../../src/node/hub/model-folder.js";

interface Expected {
  ids: number[];
  positions: number[];
  files: Record<string, { exact: string }>;
  tokenised: Record<string, { text: string; ids: number[] }[]>;
}

const folder = "test/goldens/gguf";
const expected = JSON.parse(readFileSync(`${folder}/expected.json`, "utf8")) as Expected;
const engine = createEngine({ threads: 1 });
afterAll(() => engine.close());

const open = async (file: string) => openModel(await resolveModelFolder(`${folder}/${file}`), engine, file);

test.each(Object.keys(expected.files))("%s: log-probabilities as PyTorch on the dequantised weights", async (file) => {
  const model = await open(file);
  const { logits } = await model.forward(expected.ids, { logits: true });
  const exact = new Float32Array(new Uint8Array(Buffer.from(expected.files[file]!.exact, "base64")).buffer);
  const { vocabSize } = model;
  expect(exact.length).toBe(expected.positions.length * vocabSize);
  const largest = exact.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  let worst = 0;
  expected.positions.forEach((position, index) => {
    const z = logits!.subarray(position * vocabSize, (position + 1) * vocabSize);
    const normalizer = Math.log(z.reduce((sum, value) => sum + Math.exp(value), 0));
    for (let w = 0; w < vocabSize; w++) {
      worst = Math.max(worst, Math.abs(z[w]! - normalizer - exact[index * vocabSize + w]!));
    }
  });
  expect(worst / largest).toBeLessThan(1e-5);
  // A mistake in a layer moves them by far more than that.
  expect(worst).toBeGreaterThan(0);
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
