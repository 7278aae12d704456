import { expect, it } from "vitest";
import { createEngine } from "../node/engine/onnx-engine.js";
import { processorCapabilities } from "./capabilities.js";
import { createGraph } from "./graph.js";
import { outerProducts, outputOuterProducts } from "./outer-products.js";

const size = 5;

/** X with columns of very different sizes, one of them constant and one zero. */
function rows(n: number): Float32Array {
  const column = (t: number, i: number) => [Math.sin(t + 1), 1e4 + Math.cos(3 * t), 1e-6 * t, 1, 0][i]!;
  return Float32Array.from({ length: n * size }, (_, at) => column(Math.floor(at / size), at % size));
}

it.each([1, 2, 31, 33, 300])("gives X'X of %i rows in float32 as in float64", async (n) => {
  const engine = createEngine({ threads: 1 });
  const x = rows(n);
  const found = async (float64: boolean) => {
    const graph = createGraph("outer", { capabilities: { ...processorCapabilities, float64 } });
    outputOuterProducts(graph, graph.input("x", "float32", ["n", size]), "sum", size);
    const session = await engine.load(graph);
    return outerProducts(await session.run({ x: { type: "float32", data: x, dims: [n, size] } }), "sum");
  };
  const [exact, pieced] = [await found(true), await found(false)];
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const byHand = Array.from({ length: n }, (_, t) => x[t * size + i]! * x[t * size + j]!);
      const sum = byHand.reduce((total, value) => total + value, 0);
      const scale = byHand.reduce((total, value) => total + Math.abs(value), Number.MIN_VALUE);
      expect(Math.abs(exact[i * size + j]! - sum)).toBeLessThanOrEqual(1e-13 * scale);
      expect(Math.abs(pieced[i * size + j]! - sum)).toBeLessThanOrEqual(2e-9 * scale);
    }
  }
  await engine.close();
});
