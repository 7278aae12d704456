import { readdirSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { seededRandom } from "../../linalg/random.js";
import { createEngine } from "../../node/engine/onnx-engine.js";
import { openFolder } from "../../node/files/file-source.js";
import { openModel } from "../model.js";
import { largestProduct } from "./largest-product.js";

const goldens = readdirSync("test/goldens/arch");
const engine = createEngine({ threads: 1 });
afterAll(() => engine.close());

test.each(goldens)("no hidden state of %s has a larger product with any row than it says", async (name) => {
  const model = await openModel(openFolder(`test/goldens/arch/${name}`), engine, name);
  const largest = await largestProduct(model.description);
  if (largest === undefined) {
    expect(name).toBe("opt_350m");
    return;
  }
  const random = seededRandom(1);
  const { hiddenSize: d, vocabSize } = model;
  const ids = Array.from({ length: 24 }, () => Math.floor(random() * vocabSize));
  const { hidden } = await model.forward(ids);
  for (let t = 0; t < ids.length; t++) {
    const h = Float64Array.from(hidden.subarray(t * d, (t + 1) * d));
    const rows = [h, Float64Array.from({ length: d }, () => random() - 0.5)];
    for (const x of rows) {
      const product = Math.abs(x.reduce((sum, value, i) => sum + value * h[i]!, 0));
      expect(product).toBeLessThanOrEqual(largest(x) * (1 + 1e-5));
    }
  }
  // And not by much more: along the hidden state itself.
  const h = Float64Array.from(hidden.subarray(0, d));
  expect(largest(h) / h.reduce((sum, value) => sum + value * value, 0)).toBeLessThan(20);
});
