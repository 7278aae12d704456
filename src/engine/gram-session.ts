import type { Gram } from "../linalg/gram.js";
import { type Engine, float64Output } from "./engine.js";
import { createGraph } from "./graph.js";

/** X'X in float64 by the engine's matrix product, for tall blocks. @returns the function and how to free it */
export async function gramSession(engine: Engine): Promise<{ gram: Gram; release(): Promise<void> }> {
  const graph = createGraph("gram");
  const input = graph.input("block", "float64", ["rows", "columns"]);
  const transposed = graph.op("Transpose", [input], { perm: [1, 0] });
  graph.output(graph.op("MatMul", [transposed, input]), "gram", "float64", ["columns", "columns"]);
  const session = await engine.load(graph, { oneAtATime: true });
  return {
    release: () => session.release(),
    async gram(data, rows, columns) {
      // Callers fill one array again and again, the last time only in part.
      const block = data.subarray(0, rows * columns);
      const outputs = await session.run({ block: { type: "float64", data: block, dims: [rows, columns] } });
      return float64Output(outputs, "gram");
    },
  };
}
