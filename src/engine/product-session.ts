import type { MatrixProduct } from "../linalg/matrix-product.js";
import { type Engine, float64Output } from "./engine.js";
import { createGraph } from "./graph.js";

/** A B in float64 by the engine's matrix product. @returns the function and how to free it */
export async function productSession(engine: Engine): Promise<{ product: MatrixProduct; release(): Promise<void> }> {
  const graph = createGraph("product");
  const a = graph.input("a", "float64", ["rows", "inner"]);
  const b = graph.input("b", "float64", ["inner", "columns"]);
  graph.output(graph.op("MatMul", [a, b]), "product", "float64", ["rows", "columns"]);
  const session = await engine.load(graph, { oneAtATime: true });
  return {
    release: () => session.release(),
    async product(a, b, rows, inner, columns) {
      const outputs = await session.run({
        a: { type: "float64", data: a, dims: [rows, inner] },
        b: { type: "float64", data: b, dims: [inner, columns] },
      });
      return float64Output(outputs, "product");
    },
  };
}
