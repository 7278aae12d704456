import { type Engine, float32Output } from "../engine/engine.js";
import { createGraph } from "../engine/graph.js";
import type { Head } from "../model/head.js";
import { memoryTensor } from "../tensor/memory-tensor.js";
import { readTensor } from "../tensor/safetensors.js";
import type { Expansion } from "./expansion.js";
import type { Compensation, Order, ReducedHead } from "./orders.js";

/** Rows of E that are multiplied at once. */
const blockRows = 4096;

/** The head that goes with an expansion: F = E B and b' = b + E c, float32 from products in float32. */
export async function headOf(
  { head, engine }: { head: Head; engine: Engine },
  { kept, coordinates, projection, basis, shift }: Expansion,
  order: Order,
  compensation: Compensation,
): Promise<ReducedHead> {
  const { vocabSize: V, hiddenSize: d, weight } = head;
  // B and c side by side, as [k + 1, d].
  const columns = new Float32Array((kept + 1) * d);
  for (let j = 0; j < kept; j++) for (let i = 0; i < d; i++) columns[j * d + i] = basis[i * kept + j]!;
  columns.set(shift, kept * d);
  const graph = createGraph("reduced-head");
  const rows = graph.input("rows", "float32", ["n", d]);
  const right = graph.weight(memoryTensor("columns", "F32", [kept + 1, d], columns));
  graph.output(graph.op("Gemm", [rows, right], { transB: 1 }), "product", "float32", ["n", kept + 1]);
  const factor = new Float32Array(V * kept);
  const bias = head.bias ? (await readTensor(head.bias)).slice() : new Float32Array(V);
  const session = await engine.load(graph, { oneAtATime: true });
  try {
    const byteLength = weight.byteLength / V;
    for (let start = 0; start < V; start += blockRows) {
      const n = Math.min(blockRows, V - start);
      const part = { ...weight, shape: [n, d], offset: weight.offset + start * byteLength, byteLength: n * byteLength };
      const data = await readTensor(part);
      const product = float32Output(await session.run({ rows: { type: "float32", data, dims: [n, d] } }), "product");
      for (let w = 0; w < n; w++) {
        factor.set(product.subarray(w * (kept + 1), w * (kept + 1) + kept), (start + w) * kept);
        bias[start + w]! += product[w * (kept + 1) + kept]!;
      }
    }
  } finally {
    await session.release();
  }
  return {
    order,
    compensation,
    kept,
    coordinates,
    projection: projection && Float32Array.from(projection),
    factor,
    bias,
  };
}
