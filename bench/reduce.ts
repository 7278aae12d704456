/**
 * What deletion costs on tiny-books: KL and top-1 agreement on texts that nothing was fitted to, beside the paper's deletion:
 *
 *     npx tsx bench/reduce.ts [--fractions 0.3,0.5,0.7] [--fit-tokens 200000] [--check-tokens 10000] [--steps 600] [--threads 2]
 *
 * With --gates of seeds like 0,1,2: orders of coordinates instead, those learnt with these seeds beside that by logit variance.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { tokenIds } from "../src/corpus/tokens/token-ids.js";
import { windows } from "../src/corpus/tokens/windows.js";
import { type StoredContexts, storeContexts } from "../src/model/contexts/stored-contexts.js";
import type { ReducedHead } from "../src/model/head/reduced-head.js";
import { memoryStore } from "../src/model/pass/row-store.js";
import { corpus } from "../src/node/corpus/corpus-files.js";
import { loadModel } from "../src/node/load-model.js";
import { eachDivergence } from "../src/reduction/measure/measure-reduced.js";
import type { Compensation, Metric, Order } from "../src/reduction/methods/orders.js";
import { prepareReductions, type Reductions } from "../src/reduction/methods/prepare.js";
import { defaultSteps } from "../src/reduction/methods/refine.js";
import { keptFor, planReduction, reduceHead } from "../src/reduction/plan/reduction-plan.js";

const { values: options } = parseArgs({
  options: {
    fractions: { type: "string", default: "0.3,0.5,0.7" },
    "fit-tokens": { type: "string", default: "200000" },
    "check-tokens": { type: "string", default: "10000" },
    steps: { type: "string", default: `${defaultSteps}` },
    gates: { type: "string" },
    threads: { type: "string", default: `${availableParallelism()}` },
  },
});
const unseen = ["books-heldout", "speeches"] as const;
interface Method {
  order: Order;
  compensate: Compensation;
  metric: Metric;
  seed?: number;
}
const seeds = options.gates?.split(",").map(Number);
const paper: Method = { order: "saliency", compensate: "none", metric: "fisher" };
const rotations: Method[] = [
  { order: "rotation", compensate: "least-squares", metric: "logits" },
  { order: "rotation", compensate: "least-squares", metric: "fisher" },
  { order: "rotation", compensate: "refine", metric: "fisher" },
];
const coordinates: Method[] = [
  { order: "variance", compensate: "least-squares", metric: "fisher" },
  ...(seeds ?? []).map((seed): Method => ({ order: "gates", compensate: "least-squares", metric: "fisher", seed })),
];
const methods = [paper, ...(seeds ? coordinates : rotations)];

const model = await loadModel(undefined, { threads: Number(options.threads) });
const texts: StoredContexts[] = [];
try {
  const fit = await stored("books-fit", Number(options["fit-tokens"]));
  const checks: StoredContexts[] = [];
  for (const name of unseen) checks.push(await stored(name, Number(options["check-tokens"])));
  const started = performance.now();
  const prepared = {
    fisher: await prepareReductions(model, fit, { orders: ["saliency", seeds ? "variance" : "rotation"] }),
    logits: await prepareReductions(model, fit, { orders: seeds ? [] : ["rotation"], metric: "logits" }),
  };
  console.log(`Moments and metrics: ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
  const learnt = new Map<number, Reductions>();
  for (const seed of seeds ?? []) {
    const begin = performance.now();
    learnt.set(seed, await prepareReductions(model, fit, { orders: ["gates"], seed }));
    console.log(`Gates of seed ${seed}: ${((performance.now() - begin) / 1000).toFixed(1)} s\n`);
  }
  console.log(
    `| deleted | order | compensation | ${unseen.map((name) => `${name}: KL | ratio | top-1`).join(" | ")} | s |`,
  );
  console.log(`| --- | --- | --- | ${unseen.map(() => "--- | --- | ---").join(" | ")} | --- |`);
  for (const fraction of options.fractions.split(",").map(Number)) {
    const kept = keptFor({ fraction }, model.hiddenSize);
    const papers: number[] = [];
    for (const { order, compensate, metric, seed } of methods) {
      const begin = performance.now();
      const refine = { steps: Number(options.steps) };
      const reductions = seed === undefined ? prepared[metric] : learnt.get(seed);
      const plan = await planReduction(model, fit, { kept, order, compensate, metric, seed, refine }, reductions);
      const seconds = (performance.now() - begin) / 1000;
      const cells: string[] = [];
      for (const [at, contexts] of checks.entries()) {
        const { kl, top1 } = await loss(reduceHead(model, plan), contexts);
        papers[at] ??= kl;
        cells.push(kl.toPrecision(3), (papers[at] / kl).toPrecision(3), top1.toFixed(3));
      }
      const name = order === "rotation" ? `rotation, ${metric}` : seed === undefined ? order : `${order}, seed ${seed}`;
      console.log(`| ${[fraction, name, compensate, ...cells, seconds.toFixed(1)].join(" | ")} |`);
    }
  }
} finally {
  for (const text of texts) await text.release();
  await model.close();
}

async function stored(name: string, maxTokens: number): Promise<StoredContexts> {
  const text = await corpus([`assets/corpus/${name}.txt`]);
  const ids = tokenIds(text, await model.tokenizer(), { vocabSize: model.vocabSize });
  const contexts = await storeContexts(model, windows(ids, { contextLength: 256, maxTokens }), memoryStore());
  texts.push(contexts);
  return contexts;
}

async function loss(reduced: ReducedHead, contexts: StoredContexts): Promise<{ kl: number; top1: number }> {
  let kl = 0;
  let agreeing = 0;
  await eachDivergence({ head: model.head, engine: model.engine, contexts }, reduced, (divergences) => {
    for (const [t, value] of divergences.kl.entries()) {
      kl += value / contexts.count;
      if (divergences.top1A[t] === divergences.top1B[t]) agreeing++;
    }
  });
  return { kl, top1: agreeing / contexts.count };
}
