import { expect, test } from "vitest";
import { writtenModels } from "../../../test/support/written-models.js";
import { InputError } from "../../errors.js";
import { storeContexts } from "../../model/contexts/stored-contexts.js";
import { memoryStore } from "../../model/pass/row-store.js";
import { chainHead, curveFractions } from "../curves/reduction-curve.js";
import { type RefinedPoint, refinedCurve } from "../curves/refined-curve.js";
import { measureChains, measureHeads } from "../measure/measure-heads.js";
import { headOf } from "./head-of-expansion.js";
import type { Order } from "./orders.js";
import { prepareReductions } from "./prepare.js";

const models = writtenModels();

async function prepared(name: string) {
  const model = await models.load(name);
  async function* ids() {
    for (let i = 0; i < 8; i++) yield Int32Array.from({ length: 16 }, (_, t) => (i * 13 + t * 5 + 1) % model.vocabSize);
  }
  const contexts = await storeContexts(model, ids(), memoryStore());
  const reductions = await prepareReductions(model, contexts, { orders: ["random", "rotation"], metric: "logits" });
  const d = model.hiddenSize;
  const sizes = [d / 4, d / 2, d - 1, d];
  const headsOf = (order: Order, compensation: "none" | "mean" | "least-squares") =>
    chainHead(model, reductions.chain(order, compensation), sizes);
  return { model, contexts, reductions, headsOf, sizes };
}

test.each(["gpt2", "gptj", "gemma2_tight_caps", "granite"])(
  "%s: chains together measure what the heads of their sizes do, each alone",
  async (architecture) => {
    const { model, contexts, reductions, headsOf, sizes } = await prepared(`test/goldens/arch/${architecture}`);
    const methods = [
      ["random", "none"],
      ["random", "mean"],
      ["random", "least-squares"],
      ["rotation", "least-squares"],
    ] as const;
    const chains = await Promise.all(methods.map(([order, compensation]) => headsOf(order, compensation)));
    const together = await measureChains(model, chains, contexts);
    for (const [at, [order, compensation]] of methods.entries()) {
      for (const [place, size] of sizes.entries()) {
        const head = await headOf(model, reductions.expansion(order, compensation, size));
        const [alone] = await measureHeads(model, [head], contexts);
        const measured = together[at]![place]!;
        for (const measure of ["kl", "js", "jsPercentile95"] as const) {
          expect(Math.abs(measured[measure] - alone![measure])).toBeLessThan(2e-6 + 1e-4 * alone![measure]);
        }
        // Two tokens may be equally likely but for rounding.
        expect(Math.abs(measured.top1 - alone!.top1)).toBeLessThan(0.03);
        expect(Math.abs(measured.perplexity / alone!.perplexity - 1)).toBeLessThan(1e-4);
      }
    }
  },
);

test("refined sizes: none deleted loses nothing, the others no more than what they start from, also of too little text", async () => {
  const { model, contexts, reductions, headsOf } = await prepared("test/goldens/arch/gpt2");
  const texts = { fit: contexts, check: contexts };
  const points: RefinedPoint[] = [];
  for await (const one of refinedCurve(model, reductions, texts, { refine: { steps: 60, batch: 64 } }))
    points.push(one);
  expect(points.map(({ point }) => point.fraction)).toEqual(curveFractions);
  expect(points[0]!.point.kl).toBeLessThan(1e-5);
  const sizes = [...new Set(points.map(({ reduced }) => reduced.kept))].reverse();
  const [plain] = await measureChains(model, [{ ...(await headsOf("rotation", "least-squares")), sizes }], contexts);
  for (const { point, reduced } of points) {
    expect(point.kl).toBeLessThan(plain![sizes.indexOf(reduced.kept)]!.kl + 1e-5);
  }
});

test("reduced logits far above that of the original's likeliest token are measured, and infinite ones refused", async () => {
  const { model, contexts, headsOf } = await prepared("test/goldens/arch/gpt2");
  const one = await headsOf("random", "none");
  const bias = one.bias.map((value, w) => (w === 3 ? value + 200 : value));
  const [far] = await measureChains(model, [{ ...one, bias }], contexts);
  // The token that 200 was added to has all of the probability, and all others e^-200 of it.
  for (const { kl } of far!) expect(Math.abs(kl - 200)).toBeLessThan(10);
  const infinite = one.bias.map((value, w) => (w === 3 ? Number.POSITIVE_INFINITY : value));
  await expect(measureChains(model, [{ ...one, bias: infinite }], contexts)).rejects.toThrow(InputError);
});
