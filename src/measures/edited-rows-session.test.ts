import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { changedHead } from "../model/head/changed-head.js";
import { differInRowsOnly } from "../model/head/differing-rows.js";
import { readHeadRows } from "../model/head/head-rows.js";
import type { Model } from "../model/model.js";
import { loadModel } from "../node/load-model.js";
import { divergenceSession, type HeadDivergences } from "./divergence-session.js";
import { editedRowsSession } from "./edited-rows-session.js";

/** Unsorted; the next tokens are some of them. */
const ids = [9, 3, 20];
const contexts = 150; // more than one block
const nextTokens = Int32Array.from({ length: contexts }, (_, t) => t % 40);

// A head without a bias, one with, one with a scale, one with a tight soft cap.
describe.each(["gpt2", "gptj", "cohere", "gemma2_tight_caps"])("%s", (name) => {
  let model: Model;
  let hidden: Float32Array;
  beforeAll(async () => {
    model = await loadModel(`test/goldens/arch/${name}`, { threads: 1 });
    const tokenIds = Int32Array.from({ length: contexts }, (_, t) => (7 * t + 3 * (t % 11)) % model.vocabSize);
    hidden = await model.hiddenStates({ count: 10, length: 15, tokenIds });
  });
  afterAll(() => model.close());

  test.each([0.5, 60])("finds what two whole heads do, their rows %d times as long", async (length) => {
    const { rows } = await readHeadRows(model.head, ids);
    const order = ids.map((_, j) => j).sort((a, b) => ids[a]! - ids[b]!);
    const d = model.hiddenSize;
    const values = order.flatMap((j) => [...rows.subarray(j * d, (j + 1) * d)].map((value) => length * value));
    const edited = changedHead(model.head, {
      rows: { ids: Int32Array.from(order, (j) => ids[j]!), values: Float64Array.from(values) },
    });
    const whole = await divergenceSession(model.engine, model.head, edited, ids, ids);
    const byRows = await editedRowsSession(model.engine, model.head, edited, ids);
    const wanted = await whole.run(hidden, hidden, nextTokens);
    const found = await byRows.run(hidden, nextTokens);
    await Promise.all([whole.release(), byRows.release()]);
    for (const name of ["kl", "reverseKl", "js"] as const) {
      expect(distance(found[name], wanted[name], 1e-9)).toBeLessThan(2e-4);
      expect(Math.max(...found.others![name])).toBe(0);
    }
    const probabilities = [
      ...(["probabilityA", "probabilityB", "sumProbabilityA", "sumProbabilityB"] as const),
      ...(["nextLogProbabilityA", "nextLogProbabilityB"] as const),
    ];
    for (const name of probabilities) expect(distance(found[name], wanted[name], 1e-9)).toBeLessThan(2e-6);
    expect(found.top1A).toEqual(wanted.top1A);
    expect(found.top1B).toEqual(wanted.top1B);
    if (length > 1) expect(found.top1B.some((id) => ids.includes(id))).toBe(true);
  });
});

test("logits that are not finite give divergences that are not", async () => {
  const model = await loadModel("test/goldens/arch/gpt2", { threads: 1 });
  const session = await editedRowsSession(model.engine, model.head, model.head, ids);
  const hidden = new Float32Array(2 * model.hiddenSize).fill(Number.NaN, model.hiddenSize);
  const { kl } = await session.run(hidden, Int32Array.of(0, 0));
  expect([...kl]).toEqual([0, Number.NaN]);
  await session.release();
  await model.close();
});

test.each(["llama_sharded_bf16", "gptj"])("heads of %s differ in rows only where nothing else does", async (name) => {
  const { head, close } = await loadModel(`test/goldens/arch/${name}`, { threads: 1 });
  const { rows, biases } = await readHeadRows(head, [...Array(head.vocabSize).keys()]);
  const d = head.hiddenSize;
  const longer = { ids: Int32Array.of(3, 9), values: [3, 9].flatMap((id) => [...rows.subarray(id * d, (id + 1) * d)]) };
  const edited = changedHead(head, { rows: { ...longer, values: Float64Array.from(longer.values, (v) => v + 1) } });
  expect(await differInRowsOnly(head, edited, [9, 3, 5])).toBe(true);
  expect(await differInRowsOnly(head, edited, [3])).toBe(false);
  expect(await differInRowsOnly(head, head, [])).toBe(true);
  // The same numbers in another number type.
  const wide = changedHead(head, { weight: Float32Array.from(rows), dtype: "F32" });
  expect(await differInRowsOnly(head, wide, [])).toBe(true);
  const bias = biases.map((value, id) => (id === 5 ? value - 1 : value));
  const biased = changedHead(head, { bias });
  expect(await differInRowsOnly(head, biased, [5])).toBe(true);
  expect(await differInRowsOnly(head, biased, [6])).toBe(false);
  expect(await differInRowsOnly(head, { ...head, transform: { scale: 2 } }, [])).toBe(false);
  await close();
});

/** Largest relative difference; numbers below the floor count as the floor. */
function distance(ours: HeadDivergences["kl"], wanted: HeadDivergences["kl"], floor: number): number {
  return ours.reduce(
    (worst, value, i) => Math.max(worst, Math.abs(value - wanted[i]!) / Math.max(floor, Math.abs(wanted[i]!))),
    0,
  );
}
