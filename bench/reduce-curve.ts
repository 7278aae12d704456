/**
 * The whole curve of the embedded model: 4 orders x 3 compensations, the rotation and two stages at 20 sizes each, in one process,
 * beside the float32 product rate of the engine on the same threads, before and after:
 *
 *     npx tsx bench/reduce-curve.ts [--tokens 20000] [--fit-tokens 20000] [--one-stage] [--threads 2]
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { tokenIds } from "../src/corpus/tokens/token-ids.js";
import { windows } from "../src/corpus/tokens/windows.js";
import type { Engine } from "../src/engine/engine.js";
import { createGraph } from "../src/engine/graph.js";
import { storeContexts } from "../src/model/contexts/stored-contexts.js";
import { memoryStore } from "../src/model/pass/row-store.js";
import { corpus } from "../src/node/corpus/corpus-files.js";
import { defaultCorpus, embeddedTexts, loadModel } from "../src/node/load-model.js";
import { curveFractions, reductionCurve, usualMethods, usualRescore } from "../src/reduction/curves/reduction-curve.js";
import { orders } from "../src/reduction/methods/orders.js";
import { prepareReductions } from "../src/reduction/methods/prepare.js";

const { values: options } = parseArgs({
  options: {
    tokens: { type: "string", default: "20000" },
    "fit-tokens": { type: "string", default: "20000" },
    "one-stage": { type: "boolean", default: false },
    threads: { type: "string", default: `${availableParallelism()}` },
  },
});
const model = await loadModel(undefined, { threads: Number(options.threads) });
try {
  const store = async (path: string, maxTokens: number) => {
    const ids = tokenIds(corpus(path), await model.tokenizer(), { vocabSize: model.vocabSize });
    return storeContexts(model, windows(ids, { contextLength: 256, maxTokens }), memoryStore());
  };
  const before = await productRate(model.engine);
  const fit = await store(defaultCorpus, Number(options["fit-tokens"]));
  const check = await store(embeddedTexts.inDomain, Number(options.tokens));
  const prepareStart = performance.now();
  const reductions = await prepareReductions(model, fit, { orders: orders.filter((order) => order !== "gates") });
  const all = usualMethods(reductions, usualRescore(model.vocabSize));
  const methods = options["one-stage"] ? all.filter(([, , rescore]) => rescore === undefined) : all;
  const curveStart = performance.now();
  const curve = await reductionCurve(model, reductions, check, { methods });
  const seconds = (performance.now() - curveStart) / 1000;
  const after = await productRate(model.engine);
  const logits = curve.length * check.count * model.vocabSize;
  const rows = [
    ["methods x sizes", `${methods.length} x ${curveFractions.length}`],
    ["contexts", `${check.count}`],
    ["preparing, s", ((curveStart - prepareStart) / 1000).toFixed(1)],
    ["curve, s", seconds.toFixed(1)],
    ["logits measured per s", (logits / seconds).toExponential(2)],
    ["float32 product before and after, GFLOPS", `${before.toFixed(0)}, ${after.toFixed(0)}`],
  ];
  console.log("| | |\n| --- | --- |");
  for (const row of rows) console.log(`| ${row.join(" | ")} |`);
} finally {
  await model.close();
}

/** Of the best of a few products of the head's own shape; only one column of the result comes back. */
async function productRate(engine: Engine): Promise<number> {
  const [m, k, n] = [1024, 256, 8192];
  const graph = createGraph("sgemm");
  const a = graph.input("a", "float32", ["m", k]);
  const product = graph.op("MatMul", [a, graph.constant(new Float32Array(k * n).fill(0.5), [k, n])]);
  const largest = graph.op("ReduceMax", [product, graph.constant(BigInt64Array.of(-1n))], { keepdims: 1 });
  graph.output(largest, "largest", "float32", ["m", 1]);
  const session = await engine.load(graph, { oneAtATime: true });
  let best = 0;
  for (let trial = 0; trial < 8; trial++) {
    const started = performance.now();
    await session.run({ a: { type: "float32", data: new Float32Array(m * k).fill(1), dims: [m, k] } });
    best = Math.max(best, (2 * m * k * n) / (performance.now() - started) / 1e6);
  }
  await session.release();
  return best;
}
