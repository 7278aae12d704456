import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { emptyStatistics, type HeadStatistics } from "../statistics/head-statistics.js";
import { bytesSource } from "../tensor/byte-source.js";
import { type Matrix, matrix } from "../tensor/matrix.js";
import { readSafetensorsHeader, readTensorFloat64 } from "../tensor/safetensors/safetensors.js";
import { encode } from "./encode.js";

// Made by PyTorch and statsmodels from the text in the same folder.
const goldens = new URL("../../test/goldens/tiny-books/", import.meta.url);
const golden = JSON.parse(readFileSync(new URL("encoding.json", goldens), "utf8"));
const logNormalizer = JSON.parse(readFileSync(new URL("log-normalizer.json", goldens), "utf8"));

async function tensors(url: URL): Promise<(name: string) => Promise<Float64Array>> {
  const file = await readSafetensorsHeader(bytesSource(url.pathname, readFileSync(url)));
  return (name) => readTensorFloat64(file.tensors.get(name)!);
}

let embedding: Matrix<Float32Array>;
let statistics: HeadStatistics;
let normBias: Float64Array;
let result: Awaited<ReturnType<typeof encode>>;
let expected: (name: string) => Promise<Float64Array>;

beforeAll(async () => {
  const model = await tensors(new URL("../../assets/tiny-books/model.safetensors", import.meta.url));
  expected = await tensors(new URL("encoding.safetensors", goldens));
  embedding = matrix(8192, 256, Float32Array.from(await model("transformer.wte.weight")));
  const n: number = golden.contexts;
  statistics = {
    ...emptyStatistics(8192, 256),
    contexts: n,
    sumProbability: (await expected("mean_probability")).map((value) => value * n),
    sumHidden: (await expected("mean_hidden")).map((value) => value * n),
    sumHiddenOuter: (await expected("second_moment")).map((value) => value * n),
    sumLogNormalizerHidden: Float64Array.from(logNormalizer.meanLogNormalizerHidden, (value: number) => value * n),
    sumLogNormalizer: logNormalizer.meanLogNormalizer * n,
    sumLogNormalizerSquared: logNormalizer.meanLogNormalizerSquared * n,
    sumEntropy: golden.concentration.entropy * n,
    sumLogitDeviation: golden.concentration.logitStandardDeviation * n,
    sumTopMass: {
      "1": golden.concentration.topMass["1"] * n,
      "10": golden.concentration.topMass["10"] * n,
      "100": golden.concentration.topMass["100"] * n,
    },
  };
  normBias = await model("transformer.ln_f.bias");
  result = await encode({
    statistics,
    embedding,
    normBias,
    tokenIds: Int32Array.from({ length: 8192 }, (_, id) => id),
    seed: 0,
  });
});

/** Largest difference relative to the expected number, but no closer than `floor` of the largest of them. */
function worst(actual: Float64Array, wanted: Float64Array, floor = 0): number {
  expect(actual.length).toBe(wanted.length);
  const least = floor * wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return actual.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - wanted[i]!) / Math.max(least, Math.abs(wanted[i]!), 1e-300)),
    0,
  );
}

function expectClose(actual: number, wanted: number, relative: number): void {
  expect(Math.abs(actual - wanted) / Math.abs(wanted)).toBeLessThan(relative);
}

describe("tiny-books against statsmodels", () => {
  it.each([
    "r2",
    "adjustedR2",
    "fStatistic",
    "residualStandardError",
    "intercept",
    "interceptStandardError",
    "crossValidatedR2",
    "spearman",
  ] as const)("%s", (name) => expectClose(result.encoding[name], golden[name], 1e-10));

  it("slopes, standard errors, t and p", async () => {
    const { encoding } = result;
    expect(worst(encoding.slopes, await expected("slopes"))).toBeLessThan(1e-9);
    expect(worst(encoding.standardErrors, await expected("standard_errors"))).toBeLessThan(1e-10);
    expect(worst(encoding.tValues, await expected("t_values"))).toBeLessThan(1e-9);
    expect(worst(encoding.pValues, await expected("p_values"))).toBeLessThan(1e-7);
  });

  it("degrees of freedom, rank, condition", () => {
    expect(result.encoding.degreesOfFreedom).toEqual({ model: 256, residual: 7935 });
    expect(result.encoding.rank).toBe(256);
    // numpy.linalg.cond of the centred, scaled E.
    expectClose(result.encoding.conditionNumber, 31.006504230768975, 1e-6);
    expect(result.encoding.fPValue).toBe(0);
  });

  it("theory", () => {
    const { meanField, secondOrder } = result.theory;
    expectClose(meanField.r2, golden.theory.meanField.r2, 1e-6);
    expectClose(meanField.cosine, golden.theory.meanField.cosine, 1e-8);
    expectClose(meanField.intercept, golden.theory.meanField.intercept, 1e-6);
    expectClose(secondOrder.r2, golden.theory.secondOrder.r2, 1e-6);
    // numpy: E . beta regressed out of both sides, then least squares on what is left.
    const found = { ...result.theory.prior };
    for (const [name, value] of Object.entries<number>(golden.theory.prior)) {
      expectClose(found[name as keyof typeof found]!, value, 1e-6);
    }
    expect(Object.keys(found)).toEqual(Object.keys(golden.theory.prior));
  });

  it("concentration", () => {
    expectClose(result.concentration.entropy, golden.concentration.entropy, 1e-12);
    expectClose(result.concentration.logitStandardDeviation, golden.concentration.logitStandardDeviation, 1e-12);
    for (const k of ["1", "10", "100"] as const) {
      expectClose(result.concentration.topMass[k], golden.concentration.topMass[k], 1e-12);
    }
  });

  it("sparsity", async () => {
    const { sparsity } = result;
    expect(worst(sparsity.saliency, await expected("saliency"))).toBeLessThan(1e-9);
    expectClose(sparsity.gini, golden.gini, 1e-10);
    expect(sparsity.dimensionsFor).toEqual(golden.dimensionsFor);
    expect(sparsity.refits.map(({ k }) => k)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256]);
    for (const { k, topK, randomK, principalComponents } of sparsity.refits) {
      expectClose(topK, golden.refitR2TopK[k], 1e-10);
      expect(randomK.low).toBeLessThanOrEqual(randomK.mean);
      expect(randomK.mean).toBeLessThanOrEqual(randomK.high);
      expect(principalComponents).toBeLessThanOrEqual(golden.r2 + 1e-9);
    }
    expect(worst(sparsity.varianceShare.slice(0, 10), Float64Array.from(golden.varianceShare))).toBeLessThan(1e-10);
  });

  it("scores have the variance of their components", () => {
    const { scores, componentCount, varianceShare } = result.sparsity;
    expect(componentCount).toBe(4);
    const variances = Array.from({ length: 4 }, (_, c) => {
      let squares = 0;
      for (let w = 0; w < 8192; w++) squares += scores[w * 4 + c]! ** 2;
      return squares;
    });
    for (let c = 1; c < 4; c++) {
      expectClose(variances[c]! / variances[0]!, varianceShare[c]! / varianceShare[0]!, 1e-9);
    }
  });

  it("the same input gives the same bytes, another seed only other random choices", async () => {
    const input = { statistics, embedding, normBias, tokenIds: Int32Array.from({ length: 8192 }, (_, id) => id) };
    expect(await encode({ ...input, seed: 0 })).toEqual(result);
    const other = await encode({ ...input, seed: 1 });
    expect(other.sparsity.refits[3]!.randomK).not.toEqual(result.sparsity.refits[3]!.randomK);
    expect(other.sparsity.refits[3]!.topK).toBe(result.sparsity.refits[3]!.topK);
  });
});
