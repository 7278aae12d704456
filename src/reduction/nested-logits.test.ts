import { expect, test } from "vitest";
import { writtenModels } from "../../test/written-models.js";
import { createGraph } from "../engine/graph.js";
import { memoryStore, storeContexts } from "../model/stored-contexts.js";
import { measureHeads } from "./measure-heads.js";
import { nestedLogits } from "./nested-logits.js";
import type { Compensation, Order } from "./orders.js";
import { prepareReductions } from "./prepare.js";
import { headOf } from "./reduced-head.js";

const models = writtenModels();

async function prepared(name: string) {
  const model = await models.load(name);
  async function* ids() {
    for (let i = 0; i < 8; i++) yield Int32Array.from({ length: 16 }, (_, t) => (i * 13 + t * 5 + 1) % model.vocabSize);
  }
  const contexts = await storeContexts(model, ids(), memoryStore());
  const reductions = await prepareReductions(model, contexts, { orders: ["random", "rotation"], metric: "logits" });
  const d = model.hiddenSize;
  const sizes = [d - 1, d / 4, d, d / 2];
  const heads = (order: Order, compensation: Compensation) =>
    Promise.all(sizes.map((k) => headOf(model, reductions.expansion(order, compensation, k), order, compensation)));
  return { model, contexts, heads, d };
}

test.each([
  ["random", "none"],
  ["random", "mean"],
  ["random", "least-squares"],
  ["rotation", "least-squares"],
] as const)("%s, %s: heads of several sizes together measure what each does alone", async (order, compensation) => {
  for (const name of ["test/goldens/arch/gpt2", "test/goldens/arch/gemma2_tight_caps"]) {
    const { model, contexts, heads } = await prepared(name);
    const all = await heads(order, compensation);
    const together = await measureHeads(model, all, contexts);
    for (const [at, head] of all.entries()) {
      const [alone] = await measureHeads(model, [head], contexts);
      expect(Math.abs(together[at]!.kl - alone!.kl)).toBeLessThan(2e-6);
      expect(Math.abs(together[at]!.js - alone!.js)).toBeLessThan(2e-6);
      expect(Math.abs(together[at]!.perplexity / alone!.perplexity - 1)).toBeLessThan(1e-5);
    }
  }
});

test("the weights of nested heads are held once, those of others each", async () => {
  const { model, heads, d } = await prepared("test/goldens/arch/gpt2");
  const numbers = async (compensation: Compensation) => {
    const graph = createGraph("nested");
    const hidden = graph.input("hidden", "float32", ["rows", d]);
    nestedLogits(graph, model.head, await heads("random", compensation), hidden);
    const weights = graph.weights.filter(({ tensor: { shape } }) => shape.length === 2);
    return weights.reduce((sum, { tensor }) => sum + tensor.shape[0]! * tensor.shape[1]!, 0);
  };
  expect(await numbers("none")).toBe(model.vocabSize * d);
  expect(await numbers("least-squares")).toBe(model.vocabSize * (d - 1 + d / 4 + d + d / 2));
});
