import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { tokenIds } from "../corpus/tokens/token-ids.js";
import { windows } from "../corpus/tokens/windows.js";
import { type StoredContexts, storeContexts } from "../model/contexts/stored-contexts.js";
import { once } from "../model/head/head-model.js";
import type { ReducedHead } from "../model/head/reduced-head.js";
import type { Model } from "../model/model.js";
import { memoryStore } from "../model/pass/row-store.js";
import { corpus } from "../node/corpus/corpus-files.js";
import { loadModel } from "../node/load-model.js";
import { readTensor } from "../tensor/safetensors/safetensors.js";
import { measureHeads } from "./measure/measure-heads.js";
import { eachDivergence } from "./measure/measure-reduced.js";
import { deletionOrder } from "./methods/deletion-order.js";
import { dropCoordinates, predictCoordinates } from "./methods/expansion.js";
import { headOf } from "./methods/head-of-expansion.js";
import type { Compensation, Metric, Order } from "./methods/orders.js";
import { prepareReductions, type Reductions } from "./methods/prepare.js";
import { planReduction, reduceHead } from "./plan/reduction-plan.js";

interface Measured {
  kl: number;
  top1: number;
}
interface Point {
  order: Order;
  metric?: Metric;
  deleted: number;
  none?: Measured;
  mean?: Measured;
  leastSquares?: Measured;
}
const golden: { curve: Point[] } = JSON.parse(readFileSync("test/goldens/tiny-books/deletion.json", "utf8"));

let model: Model;
let fit: StoredContexts;
let check: StoredContexts;
/** The start of `check`: enough where no golden number is held. */
let briefCheck: StoredContexts;
const prepared = new Map<Metric, Reductions>();
beforeAll(async () => {
  model = await loadModel(undefined, { threads: 2 });
  const tokenizer = await model.tokenizer();
  const store = async (name: string, maxTokens?: number) => {
    const text = await corpus([`test/goldens/tiny-books/${name}`]);
    const ids = tokenIds(text, tokenizer, { vocabSize: model.vocabSize });
    return storeContexts(model, windows(ids, { contextLength: 256, maxTokens }), memoryStore());
  };
  fit = await store("text.txt");
  check = await store("check.txt", 4096);
  briefCheck = await store("check.txt", 1024);
  const coordinates = ["saliency", "slope", "variance"] as const;
  prepared.set("fisher", await prepareReductions(model, fit, { orders: [...coordinates, "rotation"] }));
  prepared.set("logits", await prepareReductions(model, fit, { orders: ["rotation"], metric: "logits" }));
}, 120_000);
afterAll(async () => {
  await fit.release();
  await check.release();
  await briefCheck.release();
  await model.close();
});

async function measured(reduced: ReducedHead, contexts = check): Promise<Measured> {
  let kl = 0;
  let agreeing = 0;
  const subject = { head: model.head, engine: model.engine, contexts };
  await eachDivergence(subject, reduced, (divergences) => {
    for (const [t, value] of divergences.kl.entries()) {
      kl += value / contexts.count;
      if (divergences.top1A[t] === divergences.top1B[t]) agreeing++;
    }
  });
  return { kl, top1: agreeing / contexts.count };
}

// Those by logit variance go by another spread of h in the golden (below); one point of each kind is enough to run every time.
const points = golden.curve.filter(({ order, deleted }) => order !== "variance" && deleted === 77);
const rotations = points.filter(({ order }) => order === "rotation");
const cases: [string, Order, Compensation, Metric, number, Measured][] = [
  ...points.flatMap(({ order, deleted, none, mean, leastSquares }): typeof cases => {
    if (order === "rotation") return [];
    return [
      [`${order}, none`, order, "none", "fisher", deleted, none!],
      [`${order}, mean`, order, "mean", "fisher", deleted, mean!],
      [`${order}, least squares`, order, "least-squares", "fisher", deleted, leastSquares!],
    ];
  }),
  ...rotations.map(({ metric, deleted, leastSquares }): (typeof cases)[number] => {
    return [`rotation, ${metric}`, "rotation", "least-squares", metric!, deleted, leastSquares!];
  }),
];

const headOfCase = ([, order, compensation, metric, deleted]: (typeof cases)[number]) =>
  headOf(model, prepared.get(metric)!.expansion(order, compensation, 256 - deleted));

/** Of all cases but rotations, in one pass over the text; what rotations lose is too little for its float32. */
const measuredCases = once(async () => {
  const subject = { head: model.head, engine: model.engine, name: model.name };
  const heads = await Promise.all(cases.filter(([, order]) => order !== "rotation").map(headOfCase));
  return measureHeads(subject, heads, check);
});

test.each(cases.map((one, index) => [one[0], one, index] as const))(
  "%s: KL and top-1 agreement are numpy's",
  async (_, one, index) => {
    const wanted = one[5];
    const { kl, top1 } =
      one[1] === "rotation" ? await measured(await headOfCase(one)) : (await measuredCases())[index]!;
    expect(Math.abs(kl / wanted.kl - 1)).toBeLessThan(1e-4);
    expect(Math.abs(top1 - wanted.top1)).toBeLessThan(1e-3);
  },
);

/** Dimensions from the smallest value to the largest. */
const ascending = (values: Float64Array) => Array.from(values.keys()).sort((a, b) => values[a]! - values[b]!);

/** Population standard deviations of the columns, or their root mean squares. @param rows [n, d] */
function columnSpreads(rows: Float32Array, d: number, around: "mean" | "zero"): Float64Array {
  const n = rows.length / d;
  return Float64Array.from({ length: d }, (_, i) => {
    let sum = 0;
    for (let t = 0; t < n; t++) sum += rows[t * d + i]!;
    const centre = around === "mean" ? sum / n : 0;
    let squares = 0;
    for (let t = 0; t < n; t++) squares += (rows[t * d + i]! - centre) ** 2;
    return Math.sqrt(squares / n);
  });
}

test("by logit variance: the spread of E's columns times the root mean square of h", async () => {
  const ofE = columnSpreads(await readTensor(model.head.weight), 256, "mean");
  const ofHidden = columnSpreads(await fit.read(0, fit.count), 256, "zero");
  const wanted = ascending(ofE.map((spread, i) => spread * ofHidden[i]!));
  expect(Array.from(prepared.get("fisher")!.deleted("variance")!)).toEqual(wanted);
});

describe("by the golden's logit variance, with h around its mean", () => {
  const { none, mean, leastSquares } = golden.curve.find(
    (point) => point.order === "variance" && point.deleted === 77,
  )!;
  test.each<[Compensation, Measured]>([
    ["none", none!],
    ["mean", mean!],
    ["least-squares", leastSquares!],
  ])("%s: KL and top-1 agreement are numpy's", async (compensation, wanted) => {
    const { values, moments } = prepared.get("fisher")!;
    const centred = { ...values!, moments: { ...moments, mean: new Float64Array(256) } };
    const keep = deletionOrder("variance", centred, 0).slice(77).sort();
    const expansion = {
      none: () => dropCoordinates(256, keep),
      mean: () => dropCoordinates(256, keep, moments.mean),
      "least-squares": () => predictCoordinates(256, keep, moments),
    }[compensation as Exclude<Compensation, "refine">]();
    const { kl, top1 } = await measured(await headOf(model, expansion));
    expect(Math.abs(kl / wanted.kl - 1)).toBeLessThan(1e-4);
    expect(Math.abs(top1 - wanted.top1)).toBeLessThan(1e-3);
  });
});

test("refined, a rotation is nearer to the original on text it has not seen", async () => {
  const choice = { kept: 128, seed: 1, refine: { steps: 12, batch: 384 } };
  const plain = await planReduction(model, fit, choice, prepared.get("fisher"));
  const refined = await planReduction(model, fit, { ...choice, compensate: "refine" }, prepared.get("fisher"));
  const [before, after] = await Promise.all(
    [plain, refined].map((plan) => measured(reduceHead(model, plan), briefCheck)),
  );
  expect(after!.kl).toBeLessThan(0.9 * before!.kl);
}, 60_000);

test("refined, kept coordinates stay what they are", async () => {
  const choice = { kept: 200, order: "saliency", refine: { steps: 8, batch: 256 } } as const;
  const plain = await planReduction(model, fit, choice, prepared.get("fisher"));
  const refined = await planReduction(model, fit, { ...choice, compensate: "refine" }, prepared.get("fisher"));
  expect(refined.coordinates).toEqual(plain.coordinates);
  const [before, after] = await Promise.all(
    [plain, refined].map((plan) => measured(reduceHead(model, plan), briefCheck)),
  );
  expect(after!.kl).toBeLessThan(before!.kl);
}, 60_000);

test("a plan for another head, or with lying lengths, is refused", async () => {
  const plan = await planReduction(model, fit, { kept: 100, order: "slope" }, prepared.get("fisher"));
  expect(() => reduceHead(model, { ...plan, hiddenSize: 255 })).toThrow(/for a head of 8192 x 255/);
  expect(() => reduceHead(model, { ...plan, kept: 101 })).toThrow(/deleted: is 156 where 101 of 256/);
  expect(() => reduceHead(model, { ...plan, kept: 101, deleted: 155 })).toThrow(/coordinates/);
  const bias = new Float32Array(8192).fill(Number.NaN);
  expect(() => reduceHead(model, { ...plan, arrays: { ...plan.arrays, bias } })).toThrow(/bias.*not finite/);
});
