import { afterAll, beforeAll, expect, test } from "vitest";
import type { Model } from "../model/model.js";
import { loadModel } from "../node/load-model.js";
import { divergences, logSumExp } from "./divergence.js";
import { divergenceSession, type HeadDivergences } from "./divergence-session.js";

const rows = 150; // more than one block
let model: Model;
let hidden: Float32Array;
let nextTokens: Int32Array;

beforeAll(async () => {
  model = await loadModel("tiny-books", { threads: 2 });
  const tokenIds = Int32Array.from({ length: rows }, (_, t) => (300 + 997 * t) % model.vocabSize);
  nextTokens = Int32Array.from(tokenIds, (id) => (id + 5) % 1000);
  hidden = await model.hiddenStates({ count: 1, length: rows, tokenIds });
});
afterAll(() => model.close());

/** The hidden states with every number changed by about this share. */
function changed(share: number): Float32Array {
  return hidden.map((value, i) => value * (1 + share * Math.sin(i)));
}

async function compared(other: Float32Array, leftOut?: number[]): Promise<HeadDivergences> {
  const session = await divergenceSession(model.engine, model.head, model.head, leftOut);
  try {
    return await session.run(hidden, other, nextTokens);
  } finally {
    await session.release();
  }
}

/** Rows of logits [n, V], in float64. */
async function logitRows(states: Float32Array): Promise<Float64Array[]> {
  const z = Float64Array.from(await model.logits(states));
  return Array.from({ length: rows }, (_, t) => z.subarray(t * model.vocabSize, (t + 1) * model.vocabSize));
}

const without = (z: Float64Array, ids: number[]) => z.map((v, w) => (ids.includes(w) ? Number.NEGATIVE_INFINITY : v));

/** Largest relative difference; numbers below the floor count as the floor. */
function distance(ours: ArrayLike<number>, wanted: ArrayLike<number>, floor = 1e-11): number {
  return Array.from(wanted).reduce(
    (worst, value, i) => Math.max(worst, Math.abs(ours[i]! - value) / Math.max(floor, Math.abs(value))),
    0,
  );
}

test.each([1e-4, 1e-2, 1])("agrees with the logits in float64, states changed by a share of %d", async (share) => {
  const other = changed(share);
  const leftOut = [12, 14, 261, 8191];
  const ours = await compared(other, leftOut);
  const [a, b] = await Promise.all([logitRows(hidden), logitRows(other)]);
  const wanted = a.map((z, t) => divergences(z, b[t]!));
  const others = a.map((z, t) => divergences(without(z, leftOut), without(b[t]!, leftOut)));
  for (const key of ["kl", "reverseKl", "js"] as const) {
    // The engine rounds products of blocks of other sizes differently: 1e-6 in logits that were changed by this share.
    expect(
      distance(
        ours[key],
        wanted.map((row) => row[key]),
      ),
      key,
    ).toBeLessThan(2e-6 / share + 1e-6);
    expect(
      distance(
        ours.others![key],
        others.map((row) => row[key]),
      ),
      `others ${key}`,
    ).toBeLessThan(2e-6 / share + 1e-6);
  }
  const logProbability = (z: Float64Array, t: number) => z[nextTokens[t]!]! - logSumExp(z);
  expect(distance(ours.nextLogProbabilityA, a.map(logProbability))).toBeLessThan(1e-6);
  expect(distance(ours.nextLogProbabilityB, b.map(logProbability))).toBeLessThan(1e-6);
  expect(Array.from(ours.top1A)).toEqual(a.map((z) => z.indexOf(Math.max(...z))));
  expect(Array.from(ours.top1B)).toEqual(b.map((z) => z.indexOf(Math.max(...z))));
  for (const [sums, logits] of [
    [ours.sumProbabilityA, a],
    [ours.sumProbabilityB, b],
  ] as const) {
    const wantedSums = new Float64Array(model.vocabSize);
    for (const z of logits) {
      const normalizer = logSumExp(z);
      for (const [w, value] of z.entries()) wantedSums[w]! += Math.exp(value - normalizer);
    }
    expect(distance(sums, wantedSums)).toBeLessThan(1e-5);
  }
});

test("the same states are no distance apart", async () => {
  const same = await compared(hidden, [3]);
  expect(Math.max(...same.kl, ...same.reverseKl, ...same.others!.kl, ...same.others!.reverseKl)).toBe(0);
  expect(Math.max(...same.js, ...same.others!.js)).toBeLessThan(1e-13);
  expect(same.top1A).toEqual(same.top1B);
});

test.each([
  ["gptj", "gemma2"], // an output bias, a soft cap
  ["gpt2", "gptj"], // d = 24 and d = 32
  ["cohere", "opt_350m"], // a scale; d = 32 and d = 20
])("heads of %s and %s: biases, transforms and widths of their own", async (nameA, nameB) => {
  const models = await Promise.all(
    [nameA, nameB].map((name) => loadModel(`test/goldens/arch/${name}`, { threads: 1 })),
  );
  const [a, b] = models as [Model, Model];
  try {
    const ids = Int32Array.from({ length: 20 }, (_, t) => (7 * t) % a.vocabSize);
    const [statesA, statesB] = await Promise.all(
      models.map((one) => one.hiddenStates({ count: 1, length: 20, tokenIds: ids })),
    );
    const [logitsA, logitsB] = await Promise.all([a.logits(statesA!), b.logits(statesB!)]);
    const session = await divergenceSession(a.engine, a.head, b.head);
    const ours = await session.run(statesA!, statesB!, ids);
    for (let t = 0; t < ids.length; t++) {
      const row = (z: Float32Array) => z.subarray(t * a.vocabSize, (t + 1) * a.vocabSize);
      const wanted = divergences(row(logitsA), row(logitsB));
      for (const key of ["kl", "reverseKl", "js"] as const) expect(ours[key][t]! / wanted[key]).toBeCloseTo(1, 5);
      expect(ours.nextLogProbabilityB[t]).toBeCloseTo(row(logitsB)[ids[t]!]! - logSumExp(row(logitsB)), 5);
    }
  } finally {
    await Promise.all(models.map((one) => one.close()));
  }
});

test("heads of different vocabularies are refused", async () => {
  const smaller = { ...model.head, vocabSize: 100 };
  await expect(divergenceSession(model.engine, model.head, smaller)).rejects.toThrow("8192 and 100 tokens");
});
