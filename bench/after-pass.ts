/**
 * All that follows the pass over a text (regression, cross-validation, theory, sparsity), for a random E and the sums of random
 * hidden states:
 *
 *     npx tsx bench/after-pass.ts [--vocab 50257] [--hidden 768] [--threads 2]
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { encode } from "../src/encoding/encode.js";
import { gramSession } from "../src/engine/gram-session.js";
import { productSession } from "../src/engine/product-session.js";
import { createProducts } from "../src/engine/products.js";
import { createEngine } from "../src/node/engine/onnx-engine.js";
import { emptyStatistics, groupCount } from "../src/statistics/head-statistics.js";
import { matrix } from "../src/tensor/matrix.js";

const { values } = parseArgs({
  options: {
    vocab: { type: "string", default: "50257" },
    hidden: { type: "string", default: "768" },
    threads: { type: "string", default: `${availableParallelism()}` },
  },
});
const [vocabSize, d] = [Number(values.vocab), Number(values.hidden)];
let state = 1;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return (state + 0.5) / 2 ** 32;
};
const embedding = matrix(
  vocabSize,
  d,
  Float32Array.from({ length: vocabSize * d }, () => random() - 0.5),
);
const statistics = emptyStatistics(vocabSize, d);
const contexts = 10_000;
Object.assign(statistics, {
  contexts,
  windows: 64,
  sumLogNormalizer: 10 * contexts,
  sumLogNormalizerSquared: 101 * contexts,
});
for (let i = 0; i < d; i++) statistics.sumHiddenOuter[i * d + i] = contexts;
const weights = Float64Array.from({ length: vocabSize }, (_, w) => Math.exp(4 * embedding.data[w * d]! + random()));
const total = weights.reduce((sum, value) => sum + value, 0);
for (let group = 0; group < groupCount; group++) {
  statistics.groups.contexts[group] = contexts / groupCount;
  for (let w = 0; w < vocabSize; w++) {
    const share = (contexts / groupCount) * (weights[w]! / total) * (0.9 + 0.2 * random());
    statistics.groups.sumProbability[group * vocabSize + w] = share;
    statistics.sumProbability[w]! += share;
  }
}
const engine = createEngine({ threads: Number(values.threads) });
const [grams, products, product] = [
  await gramSession(engine),
  await createProducts(engine, d),
  await productSession(engine),
];
const started = performance.now();
const tokenIds = Int32Array.from({ length: vocabSize }, (_, id) => id);
const { encoding } = await encode({
  ...{ statistics, embedding, tokenIds, seed: 0 },
  ...{ gram: grams.gram, weighted: products.back, product: product.product },
});
const seconds = (performance.now() - started) / 1000;
console.log(
  `V = ${vocabSize}, d = ${d}, ${values.threads} threads: ${seconds.toFixed(1)} s after the pass (R2 ${encoding.r2.toFixed(4)})`,
);
await Promise.all([grams.release(), products.release(), product.release()]);
await engine.close();
