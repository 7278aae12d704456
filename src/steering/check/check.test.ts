import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { editedCopy } from "../../../test/support/edited-copy.js";
import { tokenIds } from "../../corpus/tokens/token-ids.js";
import { windows } from "../../corpus/tokens/windows.js";
import { seededRandom } from "../../linalg/random.js";
import { divergences } from "../../measures/divergence.js";
import type { Model } from "../../model/model.js";
import { corpus } from "../../node/corpus/corpus-files.js";
import { loadModel } from "../../node/load-model.js";
import { readTensor } from "../../tensor/safetensors/safetensors.js";
import { checkEdit, type EditedGroup } from "./check.js";
import { scaleIntervals } from "./scale-interval.js";

const options = { tokens: 96, contextLength: 32 };
const groups: EditedGroup[] = [
  { tokens: [450, 405], idealBias: -1.5 },
  { tokens: [262], idealBias: 0.5 },
];
let model: Model;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "unembed-check-"));
  model = await loadModel(undefined, { threads: 2 });
});
afterAll(async () => {
  await model.close();
  await rm(folder, { recursive: true });
});

const text = () => corpus(["test/goldens/tiny-books/text.txt"]);

test("every number is that of plain softmaxes over the same contexts", async () => {
  const { hiddenSize: d, vocabSize } = model;
  const ids = [262, 405, 450];
  const edited = await loadModel(await editedCopy(join(folder, "edited"), ids, 100), { threads: 1 });
  const E = await readTensor(model.head.weight);
  const rows = await readTensor(edited.head.weight);
  const check = await checkEdit({ original: model, edited, groups }, { inDomain: await text() }, options);
  await edited.close();
  expect(check.fit).toBeUndefined();
  const { groups: checked, collateral } = check.inDomain!;

  const tokens: Int32Array[] = [];
  const source = tokenIds(await text(), await model.tokenizer(), { vocabSize });
  for await (const window of windows(source, { contextLength: 32, maxTokens: 96 })) tokens.push(window);
  const sums = { before: [0, 0], after: [0, 0], ideal: [0, 0] };
  const kl: number[] = [];
  const klOthers: number[] = [];
  let agreeing = 0;
  let logProbability = 0;
  for (const window of tokens) {
    const { hidden } = await model.forward([...window]);
    for (let t = 0; t < window.length; t++) {
      const h = hidden.subarray(t * d, (t + 1) * d);
      const [a, b] = [product(E, h), product(rows, h)];
      const biased = a.slice();
      for (const { tokens, idealBias } of groups) for (const id of tokens) biased[id]! += idealBias;
      const [p, q, ideal] = [softmax(a), softmax(b), softmax(biased)];
      for (const [g, { tokens }] of groups.entries()) {
        for (const id of tokens) {
          sums.before[g]! += p[id]!;
          sums.after[g]! += q[id]!;
          sums.ideal[g]! += ideal[id]!;
        }
      }
      kl.push(divergences(a, b).kl);
      const others = (z: Float64Array) => z.filter((_, id) => !ids.includes(id));
      klOthers.push(divergences(others(a), others(b)).kl);
      if (a.indexOf(Math.max(...a)) === b.indexOf(Math.max(...b))) agreeing++;
      if (t + 1 < window.length) logProbability += Math.log(q[window[t + 1]!]!);
    }
  }
  for (const [g, group] of checked.entries()) {
    expect(group.before * 96).toBeCloseTo(sums.before[g]!, 4);
    expect(group.scale / (sums.after[g]! / sums.before[g]!)).toBeCloseTo(1, 4);
    expect(group.idealScale / (sums.ideal[g]! / sums.before[g]!)).toBeCloseTo(1, 4);
    expect(group.interval.low).toBeLessThanOrEqual(group.scale);
    expect(group.interval.high).toBeGreaterThanOrEqual(group.scale);
  }
  const mean = (numbers: number[]) => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  expect(collateral.contexts).toBe(96);
  expect(collateral.kl.mean / mean(kl)).toBeCloseTo(1, 3);
  expect(collateral.kl.max / Math.max(...kl)).toBeCloseTo(1, 3);
  // Only the edited tokens moved, so the others' proportions stay.
  expect(Math.max(...klOthers)).toBeLessThan(1e-12);
  expect(collateral.klOthers.max).toBeLessThan(1e-9);
  expect(collateral.top1).toBe(agreeing / 96);
  expect(Math.log(collateral.perplexity.after)).toBeCloseTo(-logProbability / 93, 4);
  expect(collateral.movers).toHaveLength(10);
  expect(collateral.movers.filter(({ id }) => ids.includes(id))).toEqual([]);
}, 60_000);

test("an abort stops with its reason", async () => {
  const controller = new AbortController();
  const onProgress = () => controller.abort(new Error("enough"));
  const subject = { original: model, edited: model, groups };
  await expect(
    checkEdit(
      subject,
      { fit: await text() },
      { contextLength: 256, tokens: 2000, signal: controller.signal, onProgress },
    ),
  ).rejects.toThrow("enough");
});

test("the bootstrap interval is as wide as theory has it", () => {
  const random = seededRandom(7);
  const windowCount = 400;
  const after = Float64Array.from({ length: windowCount }, () => 1 + random());
  const before = new Float64Array(windowCount).fill(1);
  const [interval] = scaleIntervals(after, before, 1, 3);
  // Uniform on [1, 2): standard deviation 1 / sqrt(12).
  const wanted = (2 * 1.96) / Math.sqrt(12 * windowCount);
  expect((interval!.high - interval!.low) / wanted).toBeGreaterThan(0.85);
  expect((interval!.high - interval!.low) / wanted).toBeLessThan(1.15);
  expect(scaleIntervals(after, before, 1, 3)).toEqual([interval]);
});

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
