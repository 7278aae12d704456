import { expect, test } from "vitest";
import { encode } from "../encoding/encode.js";
import { loadModel } from "../node/load-model.js";
import { bytesSource } from "../tensor/byte-source.js";
import { matrix } from "../tensor/matrix.js";
import { readTensor } from "../tensor/safetensors/safetensors.js";
import { collectStatistics } from "./collect.js";
import { emptyStatistics, merge } from "./head-statistics.js";
import { decodeStatistics, encodeStatistics } from "./statistics-file.js";

const tokens = Array.from({ length: 3 }, (_, window) =>
  Int32Array.from({ length: 20 }, (_, t) => (37 * window + 11 * t) % 64),
);
async function* windows() {
  yield* tokens;
}

test.each(["gemma2_tight_caps", "granite", "cohere"])(
  "%s: logits that are not linear in h are summed as they are",
  async (name) => {
    const model = await loadModel(`test/goldens/arch/${name}`, { threads: 1 });
    try {
      const V = model.vocabSize;
      const statistics = await collectStatistics(model, windows());
      const sumLogit = new Float64Array(V);
      const sumSquare = new Float64Array(V);
      const probability = new Float64Array(V);
      for (const window of tokens) {
        const { logits } = await model.forward(Array.from(window), { logits: true });
        for (let t = 0; t < window.length; t++) {
          const z = logits!.subarray(t * V, (t + 1) * V);
          const L = Math.log(z.reduce((sum, value) => sum + Math.exp(value), 0));
          z.forEach((value, w) => {
            sumLogit[w]! += value;
            sumSquare[w]! += (value - L) ** 2;
            probability[w]! += Math.exp(value - L);
          });
        }
      }
      const close = (a: Float64Array, b: Float64Array) => {
        const size = b.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
        for (const [w, value] of a.entries()) expect(Math.abs(value - b[w]!) / size).toBeLessThan(1e-5);
      };
      close(statistics.sumProbability, probability);
      close(statistics.logitMoments!.sumLogit, sumLogit);
      close(statistics.logitMoments!.sumSquaredLogProbability, sumSquare);

      const file = bytesSource("unfinished", encodeStatistics(statistics, {}));
      expect(
        (await decodeStatistics(file, { vocabSize: V, hiddenSize: model.hiddenSize, transformed: true })).statistics,
      ).toEqual(statistics);
      expect(merge(statistics, emptyStatistics(V, model.hiddenSize, true))).toEqual(statistics);
      expect(() => merge(statistics, emptyStatistics(V, model.hiddenSize))).toThrow("with a transform");
    } finally {
      await model.close();
    }
  },
);

test("the theory comes out the same from moments of the logits as from moments of h", async () => {
  const model = await loadModel("test/goldens/arch/gpt2", { threads: 1 });
  try {
    const { vocabSize: V, hiddenSize: d } = model;
    const statistics = await collectStatistics(model, windows());
    const logitMoments = { sumLogit: new Float64Array(V), sumSquaredLogProbability: new Float64Array(V) };
    for (const window of tokens) {
      const { logits } = await model.forward(Array.from(window), { logits: true });
      for (let t = 0; t < window.length; t++) {
        const z = logits!.subarray(t * V, (t + 1) * V);
        const L = Math.log(z.reduce((sum, value) => sum + Math.exp(value), 0));
        z.forEach((value, w) => {
          logitMoments.sumLogit[w]! += value;
          logitMoments.sumSquaredLogProbability[w]! += (value - L) ** 2;
        });
      }
    }
    const embedding = matrix(V, d, await readTensor(model.head.weight));
    const input = { embedding, tokenIds: Int32Array.from({ length: V }, (_, w) => w), seed: 0 };
    const fromHidden = (await encode({ ...input, statistics })).theory;
    const fromLogits = (await encode({ ...input, statistics: { ...statistics, logitMoments } })).theory;
    expect(fromLogits.meanField.r2).toBeCloseTo(fromHidden.meanField.r2, 4);
    expect(fromLogits.secondOrder.r2).toBeCloseTo(fromHidden.secondOrder.r2, 4);
  } finally {
    await model.close();
  }
});
