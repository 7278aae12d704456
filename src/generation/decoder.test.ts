import { afterAll, beforeAll, expect, it } from "vitest";
import type { Engine } from "../engine/engine.js";
import { openModel } from "../model/model.js";
import { createEngine } from "../node/engine/onnx-engine.js";
import { openFolder } from "../node/files/file-source.js";
import { openDecoder, someTexts } from "./decoder.js";

let engine: Engine;
beforeAll(() => {
  engine = createEngine({ threads: 1 });
});
afterAll(() => engine.close());

function furthest(found: Float32Array, wanted: Float32Array): number {
  expect(found.length).toBe(wanted.length);
  return found.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i]!)), 0);
}

it.each([
  ["gpt2", false],
  ["opt", false],
  ["gemma2", false],
  ["mistral_window", false],
  ["cohere2", false],
  ["gpt_oss", false],
  ["llama4_text", false],
  ["deepseek_v3", false],
  ["bloom", false],
  ["falcon_alibi", false],
  ["smollm3", false],
  ["ministral3", false],
  ["qwen3_next", false],
  ["lfm2", false],
  ["mamba", false],
  ["mamba2", false],
  ["llama_dynamic_beyond", true],
  ["phi3_longrope_v4config", true],
])("%s: texts of several lengths, piece by piece, give what each gives alone", async (name, dependsOnLength) => {
  const model = await openModel(openFolder(`test/goldens/arch/${name}`), engine, name);
  const decoder = await openDecoder(model, { placesPerRun: 4 });
  expect(decoder.dependsOnLength).toBe(dependsOnLength);
  // The last one is padding for whole pieces; lengths that change all positions stay out of it.
  const texts = [14, 9, 2].map((length) => Array.from({ length }, (_, i) => 3 + ((5 * i + length) % 40)));
  const alone = async (ids: readonly number[]) => (await model.forward(ids)).hidden.slice(-model.hiddenSize);
  const row = (hidden: Float32Array, index: number) =>
    hidden.subarray(index * model.hiddenSize, (index + 1) * model.hiddenSize);
  // Where positions depend on the length of the longest, only that one is what it is alone.
  const comparable = dependsOnLength ? [0] : [0, 1, 2];

  const first = await decoder.read(texts);
  for (const i of comparable) expect(furthest(row(first.hidden, i), await alone(texts[i]!))).toBeLessThan(2e-5);

  const fewer = someTexts(first, [0, 2]);
  expect(fewer.texts.map(({ padding }) => padding)).toEqual([0, 12]);
  const next = await decoder.extend(fewer, [7, 8]);
  if (!dependsOnLength) {
    for (const [index, ids] of [
      [...texts[0]!, 7],
      [...texts[2]!, 8],
    ].entries()) {
      expect(furthest(row(next.hidden, index), await alone(ids))).toBeLessThan(2e-5);
    }
  }
  // Texts of other lengths, one of them as it is.
  const shorter = decoder.goBack(next, dependsOnLength ? [3, 3] : [9, 0]);
  if (["qwen3_next", "lfm2", "mamba", "mamba2"].includes(name)) expect(shorter).toBeUndefined();
  else {
    const again = await decoder.extend(shorter!, [6, 5]);
    const back = dependsOnLength ? 3 : 9;
    expect(furthest(row(again.hidden, 0), await alone([...texts[0]!, 7].slice(0, -back).concat(6)))).toBeLessThan(2e-5);
    if (!dependsOnLength) expect(furthest(row(again.hidden, 1), await alone([...texts[2]!, 8, 5]))).toBeLessThan(2e-5);
  }
  // Used up: nothing was copied.
  expect(Object.values(fewer.past).every(({ data }) => data.length === 0)).toBe(true);
  await decoder.close();
});

it("knows after which length LongRoPE has to be read anew", async () => {
  const model = await openModel(openFolder("test/goldens/arch/phi3_longrope_v4config"), engine, "phi3");
  const decoder = await openDecoder(model);
  expect([15, 16, 17, 18].map(decoder.mustReread)).toEqual([false, false, true, false]);
  const batch = await decoder.read([Array.from({ length: 18 }, (_, i) => i + 3)]);
  expect(decoder.goBack(batch, [1])?.width).toBe(17);
  expect(decoder.goBack(batch, [2])).toBeUndefined();
  await decoder.close();
});
