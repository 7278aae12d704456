import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../engine/engine.js";
import { changedHead } from "../model/head/changed-head.js";
import { type Model, openModel } from "../model/model.js";
import { corpus } from "../node/corpus/corpus-files.js";
import { createEngine } from "../node/engine/onnx-engine.js";
import { openFolder } from "../node/files/file-source.js";
import { readTensorFloat64 } from "../tensor/safetensors/safetensors.js";
import { generate } from "./generate.js";
import { type GeneratedPiece, generatedTexts, windowPrompts } from "./generated-texts.js";

let engine: Engine;
let model: Model;
beforeAll(async () => {
  engine = createEngine({ threads: 2 });
  model = await openModel(openFolder("assets/tiny-books"), engine, "tiny-books");
});
afterAll(() => engine.close());

const joined = (pieces: readonly GeneratedPiece[]) => pieces.map(({ text }) => text).join("");
const settings = { maxTokens: 30, temperature: 0.8, seeds: [0, 1] };

/** The head with rows of E moved along the mean row, so that they are never or always drawn. */
async function withRows(tokens: readonly number[], factor: number) {
  const { weight, hiddenSize: d } = model.head;
  const e = await readTensorFloat64(weight);
  const values = Float64Array.from({ length: tokens.length * d }, (_, i) => {
    return factor * e[tokens[Math.floor(i / d)]! * d + (i % d)]!;
  });
  return changedHead(model.head, { rows: { ids: Int32Array.from(tokens), values } });
}

describe("generatedTexts", () => {
  const prompts = ["It was a dark and", "She said that the"];

  it("are the same before and after where nothing was changed, and those of generate", async () => {
    const [the] = (await model.tokenizer()).encode(" the") as [number];
    const head = await withRows([the], 1);
    const texts = await generatedTexts({
      original: model,
      edited: { head },
      prompts,
      editedTokens: [[the]],
      ...settings,
    });
    expect(texts.pairs.map(({ prompt, seed }) => [prompt, seed])).toEqual(
      prompts.flatMap((prompt) => [0, 1].map((seed) => [prompt, seed])),
    );
    for (const { before, after } of texts.pairs) expect(after).toEqual(before);
    const [{ before, after, rate }] = texts.occurrences as [(typeof texts.occurrences)[0]];
    expect(before).toBeGreaterThan(0);
    expect(after).toBe(before);
    expect(rate.before).toBe(before / texts.tokens.before);
    const pieces = texts.pairs.flatMap((pair) => pair.before);
    const marked = pieces.filter(({ edited }) => edited);
    expect(marked.map(({ text }) => text)).toEqual(marked.map(() => " the"));
    expect(marked).toHaveLength(before);
    const plain = await generate(model, { ...settings, prompts, seed: 1 });
    expect(plain.map(({ text }) => text)).toEqual([1, 3].map((index) => joined(texts.pairs[index]!.before)));
    expect(texts.measures).toBeUndefined();
  });

  it("count what an edit in memory took away", async () => {
    const { encode } = await model.tokenizer();
    const common = [" the", ",", " of"].map((text) => encode(text)[0]!);
    // Reversed rows: what was likely becomes hopeless.
    const head = await withRows(common, -1);
    const texts = await generatedTexts({
      ...{ original: model, edited: { head }, prompts, ...settings },
      editedTokens: common.map((id) => [id]),
    });
    for (const { before, after, rate } of texts.occurrences) {
      expect(before).toBeGreaterThan(0);
      expect({ after, rate: rate.after }).toEqual({ after: 0, rate: 0 });
    }
    expect(texts.pairs.flatMap((pair) => pair.after).filter(({ edited }) => edited)).toEqual([]);
    expect(texts.pairs[0]!.after).not.toEqual(texts.pairs[0]!.before);
  });

  it("measure whole sets of texts", async () => {
    const text = corpus("test/goldens/tiny-books/check.txt");
    const many = await windowPrompts(model, text, { count: 20, tokens: 4, contextLength: 32 });
    const options = { original: model, prompts: many, maxTokens: 12, seeds: [0, 1], measures: true };
    const same = await generatedTexts({ ...options, edited: { logits: model.logits } });
    expect(same.measures!.mauve).toBe(1);
    expect(same.measures!.mauveOfOriginal).toBeGreaterThan(0.3);
    expect(same.measures!.mauveOfOriginal).toBeLessThan(1);
    for (const { before, after } of same.measures!.distinct) expect(after).toBe(before);

    // One token for ever: as far from the original as texts can be.
    const stuck = async (hidden: Float32Array) => {
      const z = new Float32Array((hidden.length / model.hiddenSize) * model.vocabSize);
      for (let row = 0; row < z.length; row += model.vocabSize) z[row + 300] = 50;
      return z;
    };
    const other = await generatedTexts({ ...options, edited: { logits: stuck } });
    expect(other.measures!.mauve).toBeLessThan(same.measures!.mauveOfOriginal!);
    expect(other.measures!.distinct[0]!.after).toBeCloseTo(1 / (40 * 12), 12);
    // 9 4-grams in 12 tokens, one of them new.
    expect(other.measures!.repetition.after).toBeCloseTo(8 / 9, 12);
    expect(other.measures!.repetition.before).toBeLessThan(0.5);

    const few = await generatedTexts({ ...options, prompts: many.slice(0, 2), edited: { logits: stuck } });
    expect(few.measures!.mauve).toBeUndefined();
  });

  it("work with a head whose bias stays on disk, and show an edited end of text", async () => {
    const tiny = await openModel(openFolder("test/goldens/arch/gptj"), engine, "gptj");
    const bias = new Float64Array(tiny.vocabSize);
    bias[0] = 1e4;
    const values = new Float64Array(tiny.hiddenSize);
    const rows = { ids: Int32Array.of(5), values };
    const options = { original: tiny, prompts: [[7, 8, 9]], editedTokens: [[0]], maxTokens: 8 };
    const changed = await generatedTexts({ ...options, edited: { head: changedHead(tiny.head, { rows }) } });
    expect(changed.tokens.before).toBe(8);
    const ended = await generatedTexts({ ...options, edited: { head: changedHead(tiny.head, { bias }) } });
    expect(ended).toMatchObject({ tokens: { after: 1 }, occurrences: [{ before: 0, after: 1, rate: { after: 1 } }] });
  });

  it("shows the end of a text where that was edited", async () => {
    const { endOfText } = await model.tokenizer();
    const certain = async (hidden: Float32Array) => {
      const z = new Float32Array((hidden.length / model.hiddenSize) * model.vocabSize);
      for (let row = 0; row < z.length; row += model.vocabSize) z[row + endOfText!] = 99;
      return z;
    };
    const options = { original: model, edited: { logits: certain }, prompts, maxTokens: 5 };
    const marked = await generatedTexts({ ...options, editedTokens: [[endOfText!]] });
    expect(marked.pairs[0]!.after).toEqual([{ text: "<|endoftext|>", edited: true }]);
    expect((await generatedTexts(options)).pairs[0]!.after).toEqual([]);
  });

  it.each([
    ["no seeds", { seeds: [] }, /seeds: are none/],
    ["no tokens", { maxTokens: 0 }, /maxTokens: is 0/],
    ["a prompt too long", { prompts: [new Array(300).fill(5)] }, /has 300 tokens/],
  ])("refuses %s", async (_name, wrong, message) => {
    const options = { original: model, edited: { logits: model.logits }, prompts, ...wrong };
    await expect(generatedTexts(options)).rejects.toThrow(message);
  });

  it("refuses a head of another shape", async () => {
    const { head } = await openModel(openFolder("test/goldens/arch/gpt2"), engine, "gpt2");
    await expect(generatedTexts({ original: model, edited: { head }, prompts })).rejects.toThrow(
      "head: is [160, 24] and that of tiny-books [8192, 256]",
    );
  });
});

describe("windowPrompts", () => {
  const text = corpus("test/goldens/tiny-books/check.txt");

  it("are the beginnings of a text's windows", async () => {
    const { encode } = await model.tokenizer();
    const ids: number[] = [];
    for await (const document of text.documents()) {
      if ("text" in document) for await (const part of document.text) ids.push(...encode(part));
    }
    const prompts = await windowPrompts(model, text, { count: 3, tokens: 5, contextLength: 100 });
    expect(prompts).toEqual([0, 100, 200].map((start) => ids.slice(start, start + 5)));
    expect(await windowPrompts(model, text)).toHaveLength(8);
  });
});
