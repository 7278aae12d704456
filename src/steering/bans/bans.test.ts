import { afterAll, beforeAll, expect, test } from "vitest";
import { storeContexts } from "../../model/contexts/stored-contexts.js";
import { changedHead } from "../../model/head/changed-head.js";
import type { Head } from "../../model/head/head.js";
import { constantDirection, readFinalNorm } from "../../model/layers/constant-direction.js";
import type { Model } from "../../model/model.js";
import { memoryStore } from "../../model/pass/row-store.js";
import { loadModel } from "../../node/load-model.js";
import { bytesSource } from "../../tensor/byte-source.js";
import { encodeFloats } from "../../tensor/dtype.js";
import { readTensor } from "../../tensor/safetensors/safetensors.js";
import { probeContexts } from "../probes/probe-contexts.js";
import { probeEdits } from "../probes/probe-edits.js";
import { solveBan } from "./bans.js";

const goldens = ["gptj", "gpt2", "llama_gqa"];
const models = new Map<string, Model>();
beforeAll(async () => {
  for (const name of goldens) models.set(name, await loadModel(`test/goldens/arch/${name}`, { threads: 1 }));
});
afterAll(async () => {
  for (const model of models.values()) await model.close();
});

const banned = [3, 17];
const upTo = (count: number) => Int32Array.from({ length: count }, (_, id) => id);

async function problemOf(model: Model, seed = 0) {
  const ids = upTo(model.vocabSize);
  const windows = async function* () {
    yield ids.slice(0, 24);
  };
  const text = await storeContexts(model, windows(), memoryStore());
  const probes = await probeContexts(model, { fit: ids.slice(0, 40), ids, most: 400, seed });
  const others = ids.filter((id) => !banned.includes(id));
  return { banned, others, fitted: [{ contexts: text, weight: 1 }], probes, bound: 4 / model.vocabSize };
}

test.each([
  ["gptj", "bias"],
  ["gpt2", "constant"],
  ["llama_gqa", "combination"],
])("%s is banned by its %s, and stays below the bound in probes that nothing was fitted to", async (name, method) => {
  const model = models.get(name)!;
  const problem = await problemOf(model);
  const ban = await solveBan(model, problem);
  expect(ban.method).toBe(method);
  expect(ban.bound).toBeLessThanOrEqual(problem.bound * Math.exp(0.1));
  const { head, engine } = model;
  const { probes } = await problemOf(model, 9);
  const groups = banned.map((id) => ({ tokens: [id], rarer: true }));
  const edited = changedHead(head, ban.change);
  for (const { largest, before, after } of await probeEdits({ original: head, edited, engine }, groups, probes)) {
    expect(largest.after).toBeLessThanOrEqual(Math.max(ban.bound, 1e-30));
    if (method !== "constant") continue;
    for (const [t, p] of before.entries()) {
      const odds = (value: number) => value / (1 - value);
      expect(odds(after[t]!)).toBeLessThan(1.5e-6 * odds(p));
    }
  }
});

/** The head in bfloat16, with one more row: it lowers its token's logit by 60 in every context. */
async function withUnusedToken(model: Model): Promise<Head> {
  const { head, hiddenSize: d, vocabSize, description } = model;
  const direction = constantDirection((await readFinalNorm(description))!)!;
  const all = new Float32Array((vocabSize + 1) * d);
  all.set(await readTensor(head.weight));
  all.set(
    Float32Array.from(direction, (value) => -60 * value),
    vocabSize * d,
  );
  const bytes = encodeFloats("BF16", all);
  const shape = [vocabSize + 1, d];
  const place = { shape, offset: 0, byteLength: bytes.length, dtype: "BF16" as const, source: bytesSource("", bytes) };
  return { ...head, weight: { ...head.weight, ...place }, vocabSize: vocabSize + 1 };
}

test("where the model has a token that it never uses, banned tokens get its row: below 1e-8 in every probe", async () => {
  const model = models.get("gpt2")!;
  const head = await withUnusedToken(model);
  const problem = await problemOf(model);
  const others = Int32Array.from([...problem.others, model.vocabSize]);
  const { engine, description } = model;
  const ban = await solveBan({ head, engine, description }, { ...problem, others });
  expect(ban).toMatchObject({ method: "unused", proven: false });
  expect(ban.worst).toBeLessThan(1e-8);
  expect(ban.bound).toBe(ban.worst);
});

test("a way that the model does not allow is refused, with why", async () => {
  const model = models.get("llama_gqa")!;
  const problem = await problemOf(model);
  await expect(solveBan(model, problem, "bias")).rejects.toThrow("bias: the head has no bias");
  await expect(solveBan(model, problem, "constant")).rejects.toThrow("do not end in a LayerNorm");
  await expect(solveBan(model, problem, "unused")).rejects.toThrow("uses every token");
});

test("a head with a bias is banned by it alone: no row keeps a bound beside a bias", async () => {
  const model = models.get("gptj")!;
  const problem = await problemOf(model);
  await expect(solveBan(model, problem, "combination")).rejects.toThrow("combination: the head has a bias");
  await expect(solveBan(model, problem, "constant")).rejects.toThrow("constant: the head has a bias");
});
