import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { writtenModels } from "../../test/support/written-models.js";
import { float32Output } from "../engine/engine.js";
import { createGraph, type Graph } from "../engine/graph.js";
import { seededRandom } from "../linalg/random.js";
import { storeContexts } from "../model/contexts/stored-contexts.js";
import { logitsGraph } from "../model/head/head-model.js";
import { rescoredLogits } from "../model/head/rescored-logits.js";
import { spreadHead } from "../model/head/spread-head.js";
import type { Model } from "../model/model.js";
import { memoryStore } from "../model/pass/row-store.js";
import { greedyCost } from "./measure/greedy-cost.js";
import { prepareReductions } from "./methods/prepare.js";
import { planReduction, reduceHead } from "./plan/reduction-plan.js";

const models = writtenModels();

async function contextsOf(model: Model) {
  async function* windows() {
    for (let i = 0; i < 40; i++)
      yield Int32Array.from({ length: 16 }, (_, t) => (i * 31 + t * (7 + i) + 1) % model.vocabSize);
  }
  return storeContexts(model, windows(), memoryStore());
}

/** Hidden states of a text and, as a bound holds for all, some that no text has. */
async function hiddenStates(model: Model): Promise<Float32Array> {
  const ids = Array.from({ length: 60 }, (_, i) => (i * i + 3) % model.vocabSize);
  const { hidden } = await model.forward(ids);
  const random = seededRandom(1);
  return Float32Array.from({ length: 2 * hidden.length }, (_, i) => hidden[i] ?? 2 * (1 + (i % 3)) * (random() - 0.5));
}

async function logitsOf(model: Model, graph: Graph, hidden: Float32Array): Promise<Float32Array> {
  const session = await model.engine.load(graph);
  const dims = [hidden.length / model.hiddenSize, model.hiddenSize];
  const logits = float32Output(await session.run({ hidden: { type: "float32", data: hidden, dims } }), "logits");
  await session.release();
  return logits;
}

const likeliest = (logits: Float32Array, V: number) =>
  Array.from({ length: logits.length / V }, (_, t) => {
    const row = logits.subarray(t * V, (t + 1) * V);
    return row.indexOf(Math.max(...row));
  });

describe("with a bound, the likeliest token is the head's own in every context, also such as no text has", () => {
  const kinds = ["gpt2", "llama_sharded_bf16", "gptj", "gemma2_tight_caps", "granite"];
  test.each(kinds)("%s", async (name) => {
    const model = await models.load(join("test/goldens/arch", name));
    const { vocabSize: V, hiddenSize: d } = model;
    const contexts = await contextsOf(model);
    const hidden = await hiddenStates(model);
    const wanted = likeliest(await model.logits(hidden), V);
    const plain: number[] = [];
    const reductions = await prepareReductions(model, contexts, { orders: ["rotation"], metric: "logits" });
    for (const [kept, rescore] of [
      [d / 4, 2],
      [(3 * d) / 4, V / 4],
    ] as const) {
      const plan = await planReduction(model, contexts, { kept, rescore, greedyExact: true }, reductions);
      const reduced = reduceHead(model, plan);
      const head = await spreadHead(model, reduced);
      const graph = createGraph("stages");
      const z = rescoredLogits(graph, model.head, reduced, graph.input("hidden", "float32", ["rows", d]));
      graph.output(z, "logits", "float32", ["rows", V]);
      expect(likeliest(await logitsOf(model, graph, hidden), V)).toEqual(wanted);
      expect(likeliest(await logitsOf(model, logitsGraph(head), hidden), V)).toEqual(wanted);
      const { fallback, rows } = (await greedyCost(model, head, contexts))!;
      expect(rows).toBeGreaterThanOrEqual(V * fallback);
      const bare = await spreadHead(model, { ...reduced, rescore: undefined, bound: undefined });
      const found = likeliest(await logitsOf(model, logitsGraph(bare), hidden), V);
      plain.push(found.filter((token, t) => token !== wanted[t]).length);
    }
    // Without rescoring some are others, so that there is something to bound.
    expect(plain[0]).toBeGreaterThan(0);
  });
});
