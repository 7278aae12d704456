import { afterAll, beforeAll, expect, test } from "vitest";
import type { Model } from "../model/model.js";
import { openFileSource } from "../node/files/file-source.js";
import { loadModel } from "../node/load-model.js";
import {
  readIntegers,
  readSafetensorsHeader,
  readTensor,
  type TensorEntry,
} from "../tensor/safetensors/safetensors.js";
import { collectStatistics } from "./collect.js";
import { type HeadStatistics, merge } from "./head-statistics.js";
import { encodeStatistics } from "./statistics-file.js";

const goldens = "test/goldens/tiny-books";
const context = 256;
let model: Model;
let ids: Int32Array;
let forward: ReadonlyMap<string, TensorEntry>;

beforeAll(async () => {
  model = await loadModel("tiny-books", { threads: 2 });
  forward = (await readSafetensorsHeader(await openFileSource(`${goldens}/forward.safetensors`))).tensors;
  ids = Int32Array.from(await readIntegers(forward.get("input_ids")!));
});
afterAll(() => model.close());

async function* windowsOf(tokens: Int32Array, length = context) {
  for (let start = 0; start < tokens.length; start += length) yield tokens.subarray(start, start + length);
}

function largestMagnitude(values: Float32Array | Float64Array): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  return largest;
}

/** Largest difference over all sums, relative to each sum's own size. */
function distance(a: HeadStatistics, b: HeadStatistics): number {
  let worst = 0;
  const compare = (x: number, y: number, size = Math.abs(x)) => {
    worst = Math.max(worst, x === y ? 0 : Math.abs(x - y) / size);
  };
  // A sum of numbers of both signs is known only to the size of the numbers that it was made of.
  for (const name of ["sumHidden", "sumHiddenOuter", "sumLogNormalizerHidden"] as const) {
    const size = largestMagnitude(a[name]);
    for (const [i, value] of a[name].entries()) compare(value, b[name][i]!, size);
  }
  for (const name of ["sumProbability", "tokenCounts"] as const) {
    for (const [i, value] of a[name].entries()) compare(value, b[name][i]!);
  }
  const numbers = [
    "contexts",
    "sumLogNormalizer",
    "sumLogNormalizerSquared",
    "sumEntropy",
    "sumLogitDeviation",
  ] as const;
  for (const name of numbers) compare(a[name], b[name]);
  for (const size of ["1", "10", "100"] as const) compare(a.sumTopMass[size], b.sumTopMass[size]);
  return worst;
}

test("hidden states and log-normalisers of the embedded model agree with PyTorch", async () => {
  const wanted = await readTensor(forward.get("hidden_first_512")!);
  const wantedNormalizers = await readTensor(forward.get("log_normalizer_first_512")!);
  const hidden = await model.hiddenStates({ count: 2, length: context, tokenIds: ids.subarray(0, 512) });
  const difference = largestMagnitude(hidden.map((value, i) => value - wanted[i]!));
  expect(difference / largestMagnitude(wanted)).toBeLessThan(1e-5);
  const statistics = await collectStatistics(model, windowsOf(ids.subarray(0, 512)));
  const total = wantedNormalizers.reduce((sum, value) => sum + value, 0);
  const squares = wantedNormalizers.reduce((sum, value) => sum + value ** 2, 0);
  expect(statistics.sumLogNormalizer / total).toBeCloseTo(1, 6);
  expect(statistics.sumLogNormalizerSquared / squares).toBeCloseTo(1, 6);
});

test("sums over windows are what the logits of every position give", async () => {
  const tokens = ids.subarray(0, 300);
  const statistics = await collectStatistics(model, windowsOf(tokens, 128));
  const probability = new Float64Array(model.vocabSize);
  let entropy = 0;
  const topMass = { "1": 0, "10": 0, "100": 0 };
  for await (const window of windowsOf(tokens, 128)) {
    const { logits } = await model.forward(Array.from(window), { logits: true });
    for (let t = 0; t < window.length; t++) {
      const z = Float64Array.from(logits!.subarray(t * model.vocabSize, (t + 1) * model.vocabSize));
      const max = Math.max(...z);
      const normalizer = max + Math.log(z.reduce((sum, value) => sum + Math.exp(value - max), 0));
      const p = z.map((value) => Math.exp(value - normalizer));
      p.forEach((value, w) => {
        probability[w]! += value;
        entropy += value * (normalizer - z[w]!);
      });
      const falling = p.sort().reverse();
      for (const size of [1, 10, 100] as const) {
        topMass[`${size}`] += falling.subarray(0, size).reduce((sum, value) => sum + value, 0);
      }
    }
  }
  expect(largestMagnitude(statistics.sumProbability.map((value, w) => value / probability[w]! - 1))).toBeLessThan(2e-5);
  expect(statistics.sumEntropy / entropy).toBeCloseTo(1, 5);
  for (const size of ["1", "10", "100"] as const) expect(statistics.sumTopMass[size] / topMass[size]).toBeCloseTo(1, 6);
  expect(statistics.contexts).toBe(300);
  expect(statistics.tokenCounts.reduce((sum, count) => sum + count)).toBe(300);
  expect(statistics.tokenCounts[tokens[0]!]).toBe(tokens.filter((id) => id === tokens[0]).length);
});

test.each([2, 7])("a text split in %i parts and merged gives the same sums", async (parts) => {
  const length = 64;
  const whole = await collectStatistics(model, windowsOf(ids.subarray(0, 1000), length));
  const windows = Math.ceil(1000 / length);
  let merged: HeadStatistics | undefined;
  for (let part = 0; part < parts; part++) {
    const [from, to] = [part, part + 1].map((edge) => Math.round((edge * windows) / parts) * length) as [
      number,
      number,
    ];
    const sums = await collectStatistics(model, windowsOf(ids.subarray(from, Math.min(1000, to)), length));
    merged = merged === undefined ? sums : merge(merged, sums);
  }
  expect(distance(whole, merged!)).toBeLessThan(1e-12);
});

test("the number of threads does not change a bit", async () => {
  const alone = await loadModel("tiny-books", { threads: 1 });
  try {
    const one = await collectStatistics(alone, windowsOf(ids));
    const two = await collectStatistics(model, windowsOf(ids));
    expect(Buffer.from(encodeStatistics(two, {})).equals(encodeStatistics(one, {}))).toBe(true);
  } finally {
    await alone.close();
  }
});

test("an abort stops the pass with its reason", async () => {
  const controller = new AbortController();
  const onBatch = () => controller.abort(new Error("enough"));
  await expect(collectStatistics(model, windowsOf(ids), { onBatch, signal: controller.signal })).rejects.toThrow(
    "enough",
  );
});

test("ids outside the vocabulary and windows too long are refused", async () => {
  await expect(model.forward([1, 2, 8192])).rejects.toThrow("id 8192 at [0, 2] is outside the vocabulary (0 to 8191)");
  await expect(model.forward([[1, 2], [3]])).rejects.toThrow("window 1 has 1 ids");
  await expect(model.forward(new Array(257).fill(1))).rejects.toThrow("256 positions; a window of 257");
});
