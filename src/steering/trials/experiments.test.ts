import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { idText } from "../../../test/support/id-text.js";
import { createProducts } from "../../engine/products.js";
import { seededRandom } from "../../linalg/random.js";
import { divergences } from "../../measures/divergence.js";
import { storeText } from "../../model/contexts/store-text.js";
import { type StoredContexts, storeContexts } from "../../model/contexts/stored-contexts.js";
import { changedHead } from "../../model/head/changed-head.js";
import { transform } from "../../model/head/head-transform.js";
import type { Model } from "../../model/model.js";
import { memoryStore } from "../../model/pass/row-store.js";
import { corpus } from "../../node/corpus/corpus-files.js";
import { openFileSource } from "../../node/files/file-source.js";
import { loadModel } from "../../node/load-model.js";
import { readSafetensorsHeader, readTensor, readTensorFloat64 } from "../../tensor/safetensors/safetensors.js";
import { writeSafetensors } from "../../tensor/safetensors/write-safetensors.js";
import { solveEdits } from "../solve/solve-edits.js";
import { firstContexts, type Laboratory, makeTrials } from "./experiments.js";
import { runExperiments } from "./run-experiments.js";
import { openTrialText } from "./trial-text.js";

let model: Model;
let contexts: StoredContexts;
beforeAll(async () => {
  model = await loadModel(undefined, { threads: 1 });
  const text = await corpus(["test/goldens/tiny-books/text.txt"]);
  contexts = await storeText(model, text, { tokens: 500, contextLength: 50 });
});
afterAll(async () => {
  await contexts.release();
  await model.close();
});

const nearest = { method: "nearest", calibrate: true, lambda: 1e-4 } as const;
async function laboratory(): Promise<Laboratory> {
  const products = await createProducts(model.engine, model.hiddenSize);
  const fit = await openTrialText("fit", { ...model, contexts }, products);
  const unseen = firstContexts(contexts, 150);
  return {
    head: model.head,
    engine: model.engine,
    texts: [fit, await openTrialText("inDomain", { ...model, contexts: unseen }, products)],
    guardOf: async () => undefined,
    beginning: (count) => firstContexts(contexts, count),
    groups: [
      { label: "one", tokens: [{ id: 262, text: "" }] },
      {
        label: "two",
        tokens: [
          { id: 405, text: "" },
          { id: 450, text: "" },
        ],
      },
    ],
    directions: async () => ({}),
    seed: 1,
  };
}

test("what a trial says of an edit is what softmaxes over the whole edited head give", async () => {
  const lab = await laboratory();
  const [trial] = await makeTrials(lab, [{ group: 1, target: { scale: 4 }, variant: nearest }]);
  const { rows, groups } = await solveEdits({ ...model, contexts }, [{ tokens: [405, 450], target: { scale: 4 } }]);
  const d = model.hiddenSize;
  const E = await readTensor(model.head.weight);
  const hidden = await contexts.read(0, 150);
  const sums = { before: 0, after: 0, ideal: 0, kl: 0, js: 0, klToIdeal: 0 };
  for (let t = 0; t < 150; t++) {
    const h = hidden.subarray(t * d, (t + 1) * d);
    const a = product(E, h);
    const b = a.slice();
    for (const [i, value] of product(Float32Array.from(rows.values), h).entries()) b[rows.ids[i]!] = value;
    const ideal = a.slice();
    for (const id of [405, 450]) ideal[id]! += groups[0]!.idealBias;
    const [p, q, i] = [softmax(a), softmax(b), softmax(ideal)];
    sums.before += p[405]! + p[450]!;
    sums.after += q[405]! + q[450]!;
    sums.ideal += i[405]! + i[450]!;
    const both = divergences(a, b);
    sums.kl += both.kl / 150;
    sums.js += both.js / 150;
    sums.klToIdeal += divergences(ideal, b).kl / 150;
  }
  const effect = trial!.effects.inDomain!;
  expect(effect.scale / (sums.after / sums.before)).toBeCloseTo(1, 5);
  expect(effect.idealScale / (sums.ideal / sums.before)).toBeCloseTo(1, 5);
  expect(effect.kl / sums.kl).toBeCloseTo(1, 3);
  expect(effect.js / sums.js).toBeCloseTo(1, 3);
  expect(effect.klToIdeal / sums.klToIdeal).toBeCloseTo(1, 3);
  expect(effect.interval.low).toBeLessThanOrEqual(effect.scale);
  expect(effect.interval.high).toBeGreaterThanOrEqual(effect.scale);
  expect(trial!.effects.fit!.scale).toBeCloseTo(4, 4);
}, 60_000);

test.each(["gemma2_tight_caps", "gptj", "llama_sharded_bf16", "cohere", "granite"])(
  "the same with the head of %s: its cap, scale, bias and number type",
  async (name) => {
    const other = await loadModel(`test/goldens/arch/${name}`, { threads: 1 });
    const random = seededRandom(4);
    async function* windows() {
      for (let w = 0; w < 4; w++) yield Int32Array.from({ length: 16 }, () => Math.floor(random() * other.vocabSize));
    }
    const text = await storeContexts(other, windows(), memoryStore());
    const products = await createProducts(other.engine, other.hiddenSize);
    const ids = [7, 11];
    const lab: Laboratory = {
      head: other.head,
      engine: other.engine,
      texts: [await openTrialText("fit", { ...other, contexts: text }, products)],
      groups: [{ label: "both", tokens: ids.map((id) => ({ id, text: "" })) }],
      guardOf: async () => undefined,
      beginning: (count) => firstContexts(text, count),
      directions: async () => ({}),
      seed: 1,
    };
    const [trial] = await makeTrials(lab, [{ group: 0, target: { scale: 2 }, variant: nearest }]);
    const solved = await solveEdits({ ...other, contexts: text }, [{ tokens: ids, target: { scale: 2 } }]);
    const hidden = await text.read(0, 64);
    const [d, V] = [other.hiddenSize, other.vocabSize];
    const before = await other.logits(hidden);
    const editedHead = changedHead(other.head, { rows: solved.rows });
    const weight = await readTensorFloat64(editedHead.weight);
    const bias = editedHead.bias && (await readTensorFloat64(editedHead.bias));
    const sums = { before: 0, after: 0, kl: 0 };
    for (let t = 0; t < 64; t++) {
      const a = Float64Array.from(before.subarray(t * V, (t + 1) * V));
      const b = a.slice();
      for (const id of ids) {
        let z = bias?.[id] ?? 0;
        for (let i = 0; i < d; i++) z += weight[id * d + i]! * hidden[t * d + i]!;
        b[id] = transform(other.head.transform, z).value;
      }
      const [p, q] = [softmax(a), softmax(b)];
      for (const id of ids) {
        sums.before += p[id]!;
        sums.after += q[id]!;
      }
      sums.kl += divergences(a, b).kl / 64;
    }
    const effect = trial!.effects.fit!;
    expect(effect.scale / (sums.after / sums.before)).toBeCloseTo(1, 4);
    expect(effect.kl / sums.kl).toBeCloseTo(1, 2);
    await text.release();
    await other.close();
  },
  60_000,
);

test("trials are in the order asked for, on as much text as asked for", async () => {
  const lab = await laboratory();
  const target = { scale: 0.5 };
  const mean = { ...nearest, method: "mean" } as const;
  const done: number[] = [];
  const trials = await makeTrials(
    lab,
    [
      { group: 1, target, variant: mean },
      { group: 0, target, variant: nearest },
      { group: 0, target, variant: mean, contexts: 150 },
    ],
    (count) => done.push(count),
  );
  expect(trials.map(({ group, method, contexts }) => [group, method, contexts])).toEqual([
    [1, "mean", 500],
    [0, "nearest", 500],
    [0, "mean", 150],
  ]);
  expect(done).toEqual([1, 2, 3]);
  // Fitted on the first 150 contexts, it holds on those.
  expect(trials[2]!.effects.inDomain!.scale).toBeCloseTo(0.5, 4);
  expect(Math.abs(trials[2]!.effects.fit!.scale - 0.5)).toBeGreaterThan(1e-3);
}, 60_000);

test("a larger lambda gives a smaller and less faithful edit", async () => {
  const fixed = (lambda: number) => ({
    group: 0,
    target: { scale: 0.5 },
    variant: { ...nearest, lambda, fixedLambda: true },
  });
  const [small, large] = await makeTrials(await laboratory(), [fixed(1e-5), fixed(1e-1)]);
  expect(large!.norm).toBeLessThan(small!.norm);
  expect(large!.effects.fit!.klToIdeal).toBeGreaterThan(small!.effects.fit!.klToIdeal);
}, 60_000);

test("every experiment at once, on random tokens where no edit is asked for", async () => {
  const plan = { method: "nearest", lambda: 1e-4, calibrate: true, edits: [] } as const;
  const folder = await mkdtemp(join(tmpdir(), "unembed-experiments-"));
  const small = await loadModel(await withVocabulary(4000, folder), { threads: 1 });
  const texts = { fit: randomText(700), inDomain: randomText(200) };
  const progress: number[] = [];
  const found = await runExperiments(small, plan, texts, {
    scales: [0.1, 1, 400],
    tokenCounts: [300, 1e9],
    methods: true,
    lambdas: [1e-4],
    perBand: 1,
    tokens: 700,
    checkTokens: 200,
    onProgress: (done, total) => progress.push(done / total),
  });
  expect(found.groups.map(({ band }) => band)).toEqual([0, 1, 2]);
  const { scales, methods, lambdas, tokenCounts } = found;
  // By the plan's method and along the paper's direction; 400 times a common token's probability is out of reach.
  expect(scales!.filter(({ wantedScale }) => Math.abs(wantedScale - 0.1) < 1e-9)).toHaveLength(6);
  const raised = scales!.filter(({ wantedScale }) => wantedScale > 2);
  expect(raised.length).toBeGreaterThan(0);
  expect(raised.length).toBeLessThan(6);
  expect(scales!.every(({ wantedScale }) => wantedScale !== 1)).toBe(true);
  expect(scales!.every(({ wantedScale, effects }) => wantedScale * effects.fit!.before < 0.3)).toBe(true);
  expect(new Set(methods!.map(({ method }) => method))).toEqual(
    new Set(["nearest", "constant", "encoding", "salient", "mean"]),
  );
  expect(methods).toHaveLength(7 * lambdas!.length);
  expect(new Set(tokenCounts!.map(({ contexts }) => contexts))).toEqual(new Set([300, 700]));
  expect(progress.at(-1)).toBe(1);
  await small.close();
  await rm(folder, { recursive: true });
}, 120_000);

/** A small GPT-2 with so many tokens, for every frequency band. */
async function withVocabulary(V: number, folder: string): Promise<string> {
  const golden = "test/goldens/arch/gpt2";
  const config = JSON.parse(await readFile(join(golden, "config.json"), "utf8"));
  const { tensors } = await readSafetensorsHeader(await openFileSource(join(golden, "model.safetensors")));
  const random = seededRandom(2);
  const written = [];
  for (const [name, tensor] of tensors) {
    const data = await readTensor(tensor);
    if (!name.endsWith("wte.weight")) written.push({ name, dtype: "F32" as const, shape: tensor.shape, data });
    else {
      const d = tensor.shape[1]!;
      const rows = Float32Array.from({ length: V * d }, () => 4 * random() - 2);
      written.push({ name, dtype: "F32" as const, shape: [V, d], data: rows });
    }
  }
  await writeFile(join(folder, "config.json"), JSON.stringify({ ...config, vocab_size: V }));
  await writeFile(join(folder, "model.safetensors"), writeSafetensors(written));
  return folder;
}

function randomText(count: number) {
  const random = seededRandom(count);
  return idText(Int32Array.from({ length: count }, () => Math.floor(4000 * random())));
}

function product(weight: Float32Array, h: Float32Array): Float64Array {
  const d = h.length;
  return Float64Array.from({ length: weight.length / d }, (_, w) => {
    let sum = 0;
    for (let i = 0; i < d; i++) sum += weight[w * d + i]! * h[i]!;
    return sum;
  });
}

function softmax(z: Float64Array): Float64Array {
  const largest = Math.max(...z);
  const weights = z.map((value) => Math.exp(value - largest));
  const sum = weights.reduce((total, value) => total + value, 0);
  return weights.map((value) => value / sum);
}
