import { afterAll, beforeAll, expect, test } from "vitest";
import type { Model } from "../../model/model.js";
import { loadModel } from "../../node/load-model.js";
import { probeContexts } from "./probe-contexts.js";

const goldens = ["gpt2", "llama_gqa", "gptj", "opt", "gemma3_text", "mistral_window", "llama_dynamic_beyond"];
const models = new Map<string, Model>();
beforeAll(async () => {
  for (const name of goldens) models.set(name, await loadModel(`test/goldens/arch/${name}`, { threads: 1 }));
});
afterAll(async () => {
  for (const model of models.values()) await model.close();
});

const upTo = (count: number) => Int32Array.from({ length: count }, (_, id) => id);

test.each(goldens)(
  "hidden states of %s are those that the model has after the tokens that lead there",
  async (name) => {
    const model = models.get(name)!;
    const fit = upTo(40).map((place) => (7 * place) % model.vocabSize);
    const probes = await probeContexts(model, { fit, ids: upTo(model.vocabSize), most: 100 });
    expect(probes.beginnings.map(({ length }) => length)).toEqual([8, 8, 8, 0, 8]);
    for (let index = 0; index < probes.count; index += index < 100 ? 3 : 211) {
      const ids = probes.idsOf(index);
      const { hidden } = await model.forward([...ids]);
      const wanted = hidden.subarray(-model.hiddenSize);
      const found = await probes.read(index, index + 1);
      const largest = Math.max(...wanted.map(Math.abs));
      const off = Math.max(...found.map((value, i) => Math.abs(value - wanted[i]!)));
      expect(off / largest).toBeLessThan(1e-5);
    }
    await probes.release();
  },
);

test("every token stands behind every beginning where there is room, an even sample where not", async () => {
  const model = models.get("gpt2")!;
  const ids = upTo(model.vocabSize).filter((id) => id !== 5);
  const fit = upTo(30);
  const all = await probeContexts(model, { fit, ids });
  expect(all.appended).toBe(ids.length);
  for (let behind = 0; behind < 5; behind++) {
    const last = Array.from(ids, (_, i) => all.idsOf(behind * ids.length + i).at(-1));
    expect(last).toEqual([...ids]);
  }
  const some = await probeContexts(model, { fit, ids, most: 50 });
  expect(some.appended).toBe(10);
  const sample = Array.from({ length: 10 }, (_, i) => some.idsOf(i).at(-1)!);
  expect(sample[0]).toBe(0);
  const steps = sample.slice(1).map((id, i) => id - sample[i]!);
  expect(Math.max(...steps) - Math.min(...steps)).toBeLessThanOrEqual(2);
  expect(() => some.idsOf(some.count)).toThrow(RangeError);
});

test("the same seed gives the same probes, another one others; an abort releases what was kept", async () => {
  const model = models.get("gpt2")!;
  const options = { fit: upTo(60), ids: upTo(model.vocabSize), most: 40 };
  const [a, b, c] = await Promise.all([0, 0, 1].map((seed) => probeContexts(model, { ...options, seed })));
  const tokens = (probes: typeof a) => Array.from({ length: a!.count }, (_, i) => [...probes!.idsOf(i)]);
  expect(tokens(b)).toEqual(tokens(a));
  expect(await b!.read(0, 30)).toEqual(await a!.read(0, 30));
  expect(tokens(c)).not.toEqual(tokens(a));
  const controller = new AbortController();
  const onProgress = () => controller.abort(new Error("enough"));
  await expect(probeContexts(model, { ...options, signal: controller.signal, onProgress })).rejects.toThrow("enough");
});
