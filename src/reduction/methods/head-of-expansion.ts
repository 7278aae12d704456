import { type Engine, float32Output } from "../../engine/engine.js";
import { createGraph } from "../../engine/graph.js";
import type { Head } from "../../model/head/head.js";
import type { ReducedHead } from "../../model/head/reduced-head.js";
import { memoryTensor } from "../../tensor/memory-tensor.js";
import { readTensor } from "../../tensor/safetensors/safetensors.js";
import type { Expansion } from "./expansion.js";

/** Rows of E that are multiplied at once. */
const blockRows = 4096;

/** The head that goes with an expansion: F = E B and b' = b + E c, float32 from products in float32. */
export async function headOf(
  { head, engine }: { head: Head; engine: Engine },
  { kept, coordinates, projection, basis, shift }: Expansion,
): Promise<ReducedHead> {
  const { vocabSize: V, hiddenSize: d } = head;
  // B and c side by side, as [k + 1, d].
  const rows = new Float32Array((kept + 1) * d);
  for (let j = 0; j < kept; j++) for (let i = 0; i < d; i++) rows[j * d + i] = basis[i * kept + j]!;
  rows.set(shift, kept * d);
  const product = await headTimes({ head, engine }, rows, kept + 1);
  const factor = new Float32Array(V * kept);
  const bias = await biasOf(head);
  for (let w = 0; w < V; w++) {
    factor.set(product.subarray(w * (kept + 1), w * (kept + 1) + kept), w * kept);
    bias[w]! += product[w * (kept + 1) + kept]!;
  }
  return {
    kept,
    coordinates,
    projection: projection && Float32Array.from(projection),
    factor,
    bias,
  };
}

/** b, or zeros, [V]: the caller's own. */
export async function biasOf({ bias, vocabSize }: Head): Promise<Float32Array> {
  return bias ? (await readTensor(bias)).slice() : new Float32Array(vocabSize);
}

/** E X', in float32. @param x [m, d] @returns [V, m] */
export async function headTimes(
  { head, engine }: { head: Head; engine: Engine },
  x: Float32Array,
  m: number,
): Promise<Float32Array> {
  const { vocabSize: V, hiddenSize: d, weight } = head;
  const graph = createGraph("head-product");
  const rows = graph.input("rows", "float32", ["n", d]);
  const right = graph.weight(memoryTensor("columns", "F32", [m, d], x));
  graph.output(graph.op("Gemm", [rows, right], { transB: 1 }), "product", "float32", ["n", m]);
  const out = new Float32Array(V * m);
  const session = await engine.load(graph, { oneAtATime: true });
  try {
    const byteLength = weight.byteLength / V;
    for (let start = 0; start < V; start += blockRows) {
      const n = Math.min(blockRows, V - start);
      const part = { ...weight, shape: [n, d], offset: weight.offset + start * byteLength, byteLength: n * byteLength };
      const data = await readTensor(part);
      const product = float32Output(await session.run({ rows: { type: "float32", data, dims: [n, d] } }), "product");
      out.set(product, start * m);
    }
  } finally {
    await session.release();
  }
  return out;
}
