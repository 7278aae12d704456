import { expect, test } from "vitest";
import { writtenModels } from "../../../test/support/written-models.js";
import { tokenIds } from "../../corpus/tokens/token-ids.js";
import { windows } from "../../corpus/tokens/windows.js";
import { storeContexts } from "../../model/contexts/stored-contexts.js";
import { roundedHead, spreadHead } from "../../model/head/spread-head.js";
import type { Model } from "../../model/model.js";
import { memoryStore } from "../../model/pass/row-store.js";
import { corpus } from "../../node/corpus/corpus-files.js";
import { encodingCurve } from "../curves/encoding-curve.js";
import { reductionCurve } from "../curves/reduction-curve.js";
import { headOf } from "../methods/head-of-expansion.js";
import { prepareReductions } from "../methods/prepare.js";
import { largestWithin, searchHalves } from "../plan/budget-search.js";
import { planWithin } from "../plan/plan-within.js";
import { measureHead } from "./measure-head.js";
import { measureHeads } from "./measure-heads.js";

const models = writtenModels();

async function stored(model: Model, text: string, maxTokens: number) {
  const ids = tokenIds(corpus(`assets/corpus/${text}.txt`), await model.tokenizer(), { vocabSize: model.vocabSize });
  return storeContexts(model, windows(ids, { contextLength: 128, maxTokens }), memoryStore());
}

test("many heads in one pass measure what each measures alone in float64", async () => {
  const model = await models.load("tiny-books");
  const contexts = await stored(model, "speeches", 400);
  const reductions = await prepareReductions(model, contexts, { orders: ["rotation", "random"], metric: "logits" });
  const heads = await Promise.all([
    headOf(model, reductions.expansion("random", "none", 180)),
    headOf(model, reductions.expansion("random", "least-squares", 128)),
    headOf(model, reductions.expansion("rotation", "least-squares", 60)),
  ]);
  heads.push({ ...heads[2]!, rescore: 300 }, { ...heads[0]!, rescore: 1 });
  const all = { start: 0, end: 400 };
  for (const range of [all, { start: 128, end: 256 }]) {
    const together = await measureHeads(model, heads, contexts, { range });
    for (const [at, head] of heads.entries()) {
      const alone = await measureHead(model, await spreadHead(model, roundedHead(model, head)), contexts, { range });
      const { kl, js, top1, perplexity } = together[at]!;
      expect(Math.abs(kl - alone.kl.mean)).toBeLessThan(1e-5 * alone.kl.mean + 1e-6);
      expect(Math.abs(perplexity / alone.perplexity.after - 1)).toBeLessThan(1e-5);
      expect(top1).toBeCloseTo(alone.top1, 6);
      // Of an eighth of the contexts.
      expect(js / alone.js.mean).toBeGreaterThan(0.6);
      expect(js / alone.js.mean).toBeLessThan(1.6);
    }
  }
});

test("a soft cap stays between the reduced head and its output", async () => {
  const model = await models.load("test/goldens/arch/gemma2_tight_caps");
  async function* ids() {
    for (let i = 0; i < 8; i++) yield Int32Array.from({ length: 16 }, (_, t) => (i * 13 + t * 5 + 1) % model.vocabSize);
  }
  const contexts = await storeContexts(model, ids(), memoryStore());
  const reductions = await prepareReductions(model, contexts, { orders: ["random"] });
  const head = await headOf(model, reductions.expansion("random", "none", model.hiddenSize / 2));
  const [together] = await measureHeads(model, [head], contexts);
  const alone = await measureHead(model, await spreadHead(model, head), contexts);
  expect(together!.kl / alone.kl.mean).toBeCloseTo(1, 3);
});

test("a curve of every method and of the encoding: nothing deleted loses nothing, a rotation loses least", async () => {
  const model = await models.load("tiny-books");
  const fit = await stored(model, "books-fit", 1000);
  const check = await stored(model, "books-heldout", 128);
  const orders = ["variance", "rotation"] as const;
  const reductions = await prepareReductions(model, fit, { orders });
  const methods = [
    ["variance", "none"],
    ["variance", "least-squares"],
    ["rotation", "least-squares"],
    ["rotation", "least-squares", 500],
  ] as const;
  const steps: number[] = [];
  const onProgress = (done: number) => steps.push(done);
  const curve = await reductionCurve(model, reductions, check, { methods, onProgress });
  expect([curve.length, steps.at(-1)]).toEqual([80, 80]);
  const kl = (order: string, compensate: string, fraction: number) =>
    curve.find(
      (one) => one.order === order && one.compensate === compensate && one.fraction === fraction && !one.rescore,
    )!.kl;
  for (const [order, compensate] of methods) {
    expect(kl(order, compensate, 0)).toBeLessThan(1e-5);
    expect(kl(order, compensate, 0.9)).toBeGreaterThan(kl(order, compensate, 0.3));
  }
  for (const fraction of [0.3, 0.5, 0.7]) {
    expect(kl("variance", "least-squares", fraction)).toBeLessThan(kl("variance", "none", fraction));
    expect(kl("rotation", "least-squares", fraction)).toBeLessThan(0.6 * kl("variance", "least-squares", fraction));
  }
  // Two stages are measured on the same chain: as the head by itself, and with the rows on top of what is multiplied.
  const stages = curve.filter(({ rescore }) => rescore === 500);
  for (const fraction of [0.5, 0.95]) {
    const { kl: found, top1, multiplications, deleted } = stages.find((one) => one.fraction === fraction)!;
    const head = await headOf(model, reductions.expansion("rotation", "least-squares", 256 - deleted));
    const [alone] = await measureHeads(model, [{ ...head, rescore: 500 }], check);
    expect(found / alone!.kl).toBeCloseTo(1, 2);
    expect(top1).toBe(alone!.top1);
    expect(multiplications).toBe(8192 * head.kept + 256 * head.kept + 256 * 500);
  }
  const encoding = await encodingCurve(model, reductions, fit, orders);
  const r2 = (order: string, fraction: number) =>
    encoding.find((one) => one.order === order && one.fraction === fraction)!.r2;
  // All of a rotation spans what E spans where h moves: all but one direction under a LayerNorm.
  expect(Math.abs(r2("rotation", 0) - r2("variance", 0))).toBeLessThan(0.02);
  for (const order of orders) expect(r2(order, 0.95)).toBeLessThan(r2(order, 0.5));
});

test("a budget is met on the half that was searched, and one dimension more would break it", async () => {
  const model = await models.load("tiny-books");
  const fit = await stored(model, "books-fit", 700);
  const check = await stored(model, "books-heldout", 256);
  const reductions = await prepareReductions(model, fit, { orders: ["variance"], metric: "logits" });
  const choice = { order: "variance", compensate: "least-squares" } as const;
  const { plan, verify } = await planWithin(model, reductions, { fit, check }, choice, 0.05);
  expect(verify).toEqual({ start: 128, end: 256 });
  const range = { start: 0, end: 128 };
  const klWith = async (kept: number) => {
    const head = await headOf(model, reductions.expansion("variance", "least-squares", kept));
    return (await measureHeads(model, [head], check, { range }))[0]!.kl;
  };
  expect(await klWith(plan.kept)).toBeLessThanOrEqual(0.05);
  expect(await klWith(plan.kept - 1)).toBeGreaterThan(0.05);
  // One that nothing makes up for: after a LayerNorm the others say what a single coordinate is.
  const bare = { ...choice, compensate: "none" } as const;
  await expect(planWithin(model, reductions, { fit, check }, bare, 1e-9)).rejects.toThrow(
    /^maxKl: 1e-9 cannot be met: deleting 1 of 256 dimensions costs a KL of [\d.e-]+ nats/,
  );
});

test("the search: monotone losses to the last that fits, others to before the first that does not", async () => {
  const search = (d: number, loss: (deleted: number) => number) =>
    largestWithin(d, 1, async (sizes) => sizes.map((size) => loss(size)));
  for (const [d, last] of [
    [256, 100],
    [256, 255],
    [256, 1],
    [2, 1],
    [7, 4],
  ] as const) {
    expect(await search(d, (deleted) => (deleted <= last ? 0.5 : 2))).toBe(last);
  }
  expect(await search(100, (deleted) => (deleted > 30 && deleted < 40 ? 2 : 0))).not.toBeLessThan(30);
  await expect(search(9, () => 3)).rejects.toThrow(/deleting 1 of 9 dimensions costs a KL of 3.00 nats/);
  const contexts = { windowStarts: Int32Array.of(0, 128), count: 128 } as Parameters<typeof searchHalves>[0];
  expect(() => searchHalves(contexts)).toThrow(/needs two windows of unseen text/);
});
