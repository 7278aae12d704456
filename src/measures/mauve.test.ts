import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { openFileSource } from "../node/files/file-source.js";
import type { Matrix } from "../tensor/matrix.js";
import { matrix } from "../tensor/matrix.js";
import { readSafetensorsHeader, readTensor } from "../tensor/safetensors/safetensors.js";
import { mauveFromFeatures, mauveFromHistograms } from "./mauve.js";

const goldens = "test/goldens/mauve";

interface HistogramGolden {
  p: number[];
  q: number[];
  scaling: number;
  mauve: number;
  frontierIntegral: number;
}

test("histograms: as the reference implementation", () => {
  const cases: HistogramGolden[] = JSON.parse(readFileSync(`${goldens}-histograms.json`, "utf8"));
  expect(cases.length).toBe(9);
  for (const { p, q, scaling, mauve, frontierIntegral } of cases) {
    const ours = mauveFromHistograms(p, q, scaling);
    expect(ours.mauve).toBeCloseTo(mauve, 12);
    expect(ours.frontierIntegral).toBeCloseTo(frontierIntegral, 12);
  }
});

async function features(name: string): Promise<Matrix> {
  const { tensors } = await readSafetensorsHeader(await openFileSource(`${goldens}-features.safetensors`));
  const entry = tensors.get(name)!;
  return matrix(entry.shape[0]!, entry.shape[1]!, await readTensor(entry));
}

test.each(["same", "near", "far"])("features, %s: within the reference's own range over its seeds", async (name) => {
  const { min, max } = JSON.parse(readFileSync(`${goldens}-features.json`, "utf8"))[name];
  const { mauve, seeds, clusters } = await mauveFromFeatures(await features(`${name}.p`), await features(`${name}.q`));
  expect(mauve).toBeGreaterThan(min - 1e-12);
  expect(mauve).toBeLessThan(max + 1e-12);
  expect(clusters).toBe(30);
  expect(seeds).toHaveLength(5);
});

test("the same seed gives the same value, another seed another", async () => {
  const [p, q] = [await features("near.p"), await features("near.q")];
  const value = async (seed: number) => (await mauveFromFeatures(p, q, { seeds: 1, seed })).mauve;
  const one = await value(1);
  expect(await value(1)).toBe(one);
  expect(await value(2)).not.toBe(one);
});

test("the same histogram is 1 and 0, histograms that share nothing are close to 0 and 1", () => {
  const same = mauveFromHistograms([1, 2, 3], [10, 20, 30]);
  expect(same.mauve).toBeCloseTo(1, 6);
  expect(same.frontierIntegral).toBeCloseTo(0, 14);
  const apart = mauveFromHistograms([1, 0], [0, 1]);
  expect(apart.mauve).toBeLessThan(0.01);
  expect(apart.frontierIntegral).toBe(1);
});

test("the frontier integral of nearly equal bins does not cancel away", () => {
  // 2/3 s t^2 in each bin, with s = 1/2 and t = 1e-7.
  const { frontierIntegral } = mauveFromHistograms([0.5 + 5e-8, 0.5 - 5e-8], [0.5 - 5e-8, 0.5 + 5e-8]);
  expect(frontierIntegral / ((2 / 3) * 1e-14)).toBeCloseTo(1, 5);
});

test("texts that all have the same feature are the same", async () => {
  const p = matrix(20, 3, new Float32Array(60).fill(2));
  expect((await mauveFromFeatures(p, p)).mauve).toBeCloseTo(1, 6);
});

test("input that cannot be used is refused", async () => {
  expect(() => mauveFromHistograms([1], [1, 2])).toThrow("1 and 2 bins");
  expect(() => mauveFromHistograms([1, -1], [1, 2])).toThrow("bin 1 is -1");
  expect(() => mauveFromHistograms([1, Number.NaN], [1, 2])).toThrow("bin 1 is NaN");
  expect(() => mauveFromHistograms([0, 0], [1, 2])).toThrow("sum to 0");
  expect(() => mauveFromHistograms([1, 1], [1, 2], -1)).toThrow("scaling");
  const p = matrix(4, 2, Float32Array.of(1, 2, 3, 4, 5, 6, 7, Number.NaN));
  const q = matrix(4, 2, new Float32Array(8).fill(1));
  await expect(mauveFromFeatures(p, q)).rejects.toThrow("features p: text 3 holds NaN");
  await expect(mauveFromFeatures(q, matrix(8, 1, new Float32Array(8)))).rejects.toThrow("2 and 1 columns");
  await expect(mauveFromFeatures(q, matrix(1, 2, new Float32Array(2)))).rejects.toThrow("at least two");
  await expect(mauveFromFeatures(q, q, { clusters: 9 })).rejects.toThrow("clusters: is 9; 2 to 8");
  await expect(mauveFromFeatures(q, q, { seeds: 0 })).rejects.toThrow("seeds");
});
