import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { storeContexts } from "../../model/contexts/stored-contexts.js";
import { changedHead } from "../../model/head/changed-head.js";
import { largestProduct } from "../../model/layers/largest-product.js";
import type { Model } from "../../model/model.js";
import { memoryStore } from "../../model/pass/row-store.js";
import { loadModel } from "../../node/load-model.js";
import { probeContexts } from "../probes/probe-contexts.js";
import { probeEdits } from "../probes/probe-edits.js";
import { banRow } from "./ban-rows.js";

/** RMSNorm, LayerNorm, a weight stored less one with a soft cap, a logit scale, bfloat16, no norm at the end. */
const goldens = ["llama_gqa", "gpt2", "gemma2", "granite", "llama_sharded_bf16", "opt_350m"];
const models = new Map<string, Model>();
beforeAll(async () => {
  for (const name of goldens) models.set(name, await loadModel(`test/goldens/arch/${name}`, { threads: 1 }));
});
afterAll(async () => {
  for (const model of models.values()) await model.close();
});

const upTo = (count: number) => Int32Array.from({ length: count }, (_, id) => id);

describe.each(goldens)("%s", (name) => {
  test("banned tokens stay below the bound in every probe that was fitted to, and in others", async () => {
    const model = models.get(name)!;
    const { head, engine, vocabSize } = model;
    const ids = upTo(vocabSize);
    const banned = [3, 17];
    const windows = async function* () {
      yield ids.slice(0, 24);
    };
    const text = await storeContexts(model, windows(), memoryStore());
    const fitted = await probeContexts(model, { fit: ids.slice(0, 40), ids, most: 400 });
    const others = await probeContexts(model, { fit: ids.slice(20, 60), ids, most: 800, seed: 5 });
    const subject = { head, engine, largestProduct: await largestProduct(model.description) };
    const allowed = ids.filter((id) => !banned.includes(id));
    const bound = 4 / vocabSize;
    const found = await banRow(
      subject,
      banned,
      allowed,
      [
        { contexts: text, weight: 1 },
        { contexts: fitted, weight: 0.1 },
      ],
      bound,
    );
    expect(found.bound).toBeLessThanOrEqual(bound);
    expect(found.proven).toBe(!["gemma2", "opt_350m"].includes(name));
    const values = Float64Array.from([...found.row, ...found.row]);
    const edited = changedHead(head, { rows: { ids: Int32Array.from(banned), values } });
    for (const probes of [fitted, others]) {
      const groups = banned.map((id) => ({ tokens: [id], rarer: true }));
      for (const { largest } of await probeEdits({ original: head, edited, engine }, groups, probes)) {
        expect(largest.after).toBeLessThanOrEqual(found.bound);
      }
      await probes.release();
    }
    await text.release();
  });
});

test("a bound that so few rows cannot keep is refused", async () => {
  const model = models.get("gpt2")!;
  const { head, engine } = model;
  const fitted = await probeContexts(model, { fit: upTo(40), ids: upTo(model.vocabSize), most: 50 });
  const subject = { head, engine, largestProduct: undefined };
  await expect(banRow(subject, [3], upTo(3), [{ contexts: fitted, weight: 1 }], 1e-3)).rejects.toThrow(RangeError);
  await fitted.release();
});
