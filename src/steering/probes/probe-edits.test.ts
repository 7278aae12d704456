import { afterAll, beforeAll, expect, test } from "vitest";
import { changedHead } from "../../model/head/changed-head.js";
import { readHeadRows } from "../../model/head/head-rows.js";
import type { Model } from "../../model/model.js";
import { loadModel } from "../../node/load-model.js";
import { readTensor } from "../../tensor/safetensors/safetensors.js";
import { type Probes, probeContexts } from "./probe-contexts.js";
import { probeEdits } from "./probe-edits.js";

let model: Model;
let probes: Probes;
beforeAll(async () => {
  model = await loadModel("test/goldens/arch/gpt2", { threads: 1 });
  const all = Int32Array.from({ length: model.vocabSize }, (_, id) => id);
  probes = await probeContexts(model, { fit: all.slice(0, 40), ids: all, most: 300 });
});
afterAll(async () => {
  await probes.release();
  await model.close();
});

/** Softmax probabilities of some tokens after each probe, in plain JavaScript. */
async function plainly(weight: Float32Array, tokens: readonly number[]): Promise<number[]> {
  const d = model.hiddenSize;
  const hidden = await probes.read(0, probes.count);
  return Array.from({ length: probes.count }, (_, t) => {
    const h = hidden.subarray(t * d, (t + 1) * d);
    const z = Array.from({ length: model.vocabSize }, (_, w) =>
      h.reduce((sum, v, i) => sum + v * weight[w * d + i]!, 0),
    );
    const largest = Math.max(...z);
    const total = z.reduce((sum, value) => sum + Math.exp(value - largest), 0);
    return tokens.reduce((sum, w) => sum + Math.exp(z[w]! - largest) / total, 0);
  });
}

test("probabilities before and after are those of plain softmaxes, and the worst contexts the worst of them", async () => {
  const groups = [
    { tokens: [3, 9], rarer: true },
    { tokens: [20], rarer: false },
  ];
  const ids = [3, 9, 20];
  const { rows } = await readHeadRows(model.head, ids);
  // Longer rows: likelier in some contexts and rarer in others, whatever was wanted.
  const edited = changedHead(model.head, { rows: { ids: Int32Array.from(ids), values: rows.map((v) => 3 * v) } });
  const probed = await probeEdits({ original: model.head, edited, engine: model.engine }, groups, probes);
  const [E, changed] = [await readTensor(model.head.weight), await readTensor(edited.weight)];
  for (const [g, { tokens, rarer }] of groups.entries()) {
    const found = probed[g]!;
    const [before, after] = [await plainly(E, tokens), await plainly(changed, tokens)];
    expect(found.contexts).toBe(probes.count);
    for (let t = 0; t < probes.count; t++) {
      expect(found.before[t]! / before[t]!).toBeCloseTo(1, 4);
      expect(found.after[t]! / after[t]!).toBeCloseTo(1, 4);
    }
    const sign = rarer ? 1 : -1;
    const against = before.map((p, t) => sign * (after[t]! - p));
    expect(found.opposite).toBe(against.filter((move) => move > 1e-4).length / probes.count);
    expect(found.largest.before).toBeCloseTo(Math.max(...before), 5);
    expect(found.largest.after).toBeCloseTo(Math.max(...after), 5);
    const order = against.map((_, t) => t).sort((a, b) => against[b]! - against[a]!);
    expect(found.worst).toHaveLength(5);
    for (const [place, one] of found.worst.entries()) {
      expect(sign * (one.after - one.before)).toBeCloseTo(against[order[place]!]!, 5);
    }
    expect(found.worst[0]!.ids).toEqual([...probes.idsOf(order[0]!)]);
    const unsafe = after.flatMap((p, t) =>
      (p > 0.01 && p > before[t]!) || (p > 1e-4 && p > 10 * before[t]!) ? [t] : [],
    );
    expect([...found.unsafe]).toEqual(rarer ? unsafe : []);
  }
  expect(probed[0]!.unsafe.length).toBeGreaterThan(0);
  // The piece of a word stays as likely as it was elsewhere: a little likelier is no harm.
  const heads = { original: model.head, edited, engine: model.engine };
  const [inFew] = await probeEdits(heads, [{ ...groups[0]!, inFew: true }, groups[1]!], probes);
  const { before, after } = probed[0]!;
  const harm = [...after.keys()].filter(
    (t) => (after[t]! > 0.01 && after[t]! > 2 * before[t]!) || (after[t]! > 1e-4 && after[t]! > 10 * before[t]!),
  );
  expect([...inFew!.unsafe]).toEqual(harm);
  expect(harm.length).toBeLessThan(probed[0]!.unsafe.length);
});

test("what a token gains because others lose is not its own edit's doing", async () => {
  const [many, few] = [Array.from({ length: 30 }, (_, id) => id), [40]];
  const groups = [many, few].map((tokens) => ({ tokens, rarer: true }));
  const ids = [...many, ...few];
  const d = model.hiddenSize;
  const { rows } = await readHeadRows(model.head, ids);
  const change = (count: number) => {
    const values = rows.subarray(0, count * d).map((value, i) => (i < many.length * d ? 0.2 * value : 0.98 * value));
    return changedHead(model.head, { rows: { ids: Int32Array.from(ids.slice(0, count)), values } });
  };
  const [edited, others] = [change(ids.length), change(many.length)];
  const [, found] = await probeEdits({ original: model.head, edited, engine: model.engine }, groups, probes);
  const of = async (head: typeof edited) => plainly(await readTensor(head.weight), few);
  const [before, alone, after] = [
    await plainly(await readTensor(model.head.weight), few),
    await of(others),
    await of(edited),
  ];
  const beyond = (references: readonly number[]) =>
    after.flatMap((p, t) => {
      const was = references[t]!;
      return (p > 0.01 && p > was) || (p > 1e-4 && p > 10 * was) ? [t] : [];
    });
  const own = beyond(before.map((p, t) => Math.max(p, alone[t]!)));
  expect([...found!.unsafe]).toEqual(own);
  expect(beyond(before).length).toBeGreaterThan(own.length);
});
