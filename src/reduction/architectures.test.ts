import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { onePerFamily } from "../../test/support/families.js";
import { writtenModels } from "../../test/support/written-models.js";
import { canHoldBias } from "../export/edited-checkpoint.js";
import { storeContexts } from "../model/contexts/stored-contexts.js";
import { constantDirection, readFinalNorm } from "../model/layers/constant-direction.js";
import { memoryStore } from "../model/pass/row-store.js";
import { saveStorable } from "../node/save/save-storable.js";
import { measureHead } from "./measure/measure-head.js";
import { compensations, metrics, orders } from "./methods/orders.js";
import { prepareReductions } from "./methods/prepare.js";
import { planReduction, reduceHead } from "./plan/reduction-plan.js";
import { storableHead } from "./write/storable-head.js";

const models = writtenModels();
const goldens = "test/goldens/arch";

async function prepared(name: string) {
  const model = await models.load(join(goldens, name));
  async function* windows() {
    for (let i = 0; i < 40; i++) {
      yield Int32Array.from({ length: 16 }, (_, t) => (i * 31 + t * (7 + i) + 1) % model.vocabSize);
    }
  }
  return {
    model,
    contexts: await storeContexts(model, windows(), memoryStore()),
    kept: (3 * model.hiddenSize) / 4,
  };
}

describe("every order, compensation and output", () => {
  // What heads differ in: tied or not, biases, scales, soft caps, number types, and the norm before them.
  const kinds = ["gpt2", "gptj", "gpt_neox_parallel", "opt_350m", "opt_without_biases", "llama_sharded_bf16"];
  test.each([...kinds, "gemma2_tight_caps", "cohere", "granite", "nemotron"])("%s", async (name) => {
    const { model, contexts, kept } = await prepared(name);
    const kls: Record<string, number> = {};
    for (const metric of metrics) {
      const tried = metric === "fisher" ? orders : (["rotation"] as const);
      const reductions = await prepareReductions(model, contexts, { orders: tried, metric });
      for (const order of tried) {
        for (const compensate of compensations) {
          const refine = { steps: 3, batch: 128 };
          const plan = await planReduction(model, contexts, { kept, order, compensate, metric, refine }, reductions);
          const reduced = reduceHead(model, plan);
          const { head } = await storableHead(model, reduced, { format: "onnx" });
          kls[`${metric} ${order} ${compensate}`] = (await measureHead(model, head, contexts)).kl.mean;
        }
      }
    }
    for (const kl of Object.values(kls)) expect(kl).toBeGreaterThanOrEqual(0);
    for (const order of orders) {
      // Least squares of h is not least KL, but far from random weights it goes down.
      expect(kls[`fisher ${order} refine`]).toBeLessThanOrEqual(kls[`fisher ${order} least-squares`]! * 1.05 + 1e-9);
    }
    expect(kls["fisher rotation mean"]).toBeLessThan(kls["fisher random none"]!);
  });
});

describe("what is written is what was measured", () => {
  test.each(onePerFamily())("%s", async (name) => {
    const { model, contexts, kept } = await prepared(name);
    const plan = await planReduction(model, contexts, { kept });
    const reduced = reduceHead(model, plan);
    const norm = await readFinalNorm(model.description);
    const exact = canHoldBias(model) || (norm !== undefined && constantDirection(norm) !== undefined);
    const measured: number[] = [];
    for (const format of ["onnx", "safetensors"] as const) {
      const withoutBias = format === "safetensors" && !exact ? contexts : undefined;
      const storable = await storableHead(model, reduced, { format, withoutBias });
      const kl = await saveStorable(model, storable, join(models.folder, `${name} ${format}`), {
        measure: async (head) => (await measureHead(model, head, contexts)).kl.mean,
        filesOf: () => [],
      });
      // What lies on the disk is what was measured before it was written.
      expect(kl).toBe((await measureHead(model, storable.head, contexts)).kl.mean);
      measured.push(kl);
    }
    if (exact) expect(Math.abs(measured[1]! - measured[0]!)).toBeLessThan(0.02 * measured[0]! + 1e-7);
  });
});
