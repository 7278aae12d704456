import { type Engine, float32Output } from "../../engine/engine.js";
import { createGraph } from "../../engine/graph.js";
import { decodeFloat32, encodeFloats, type FloatDType } from "../../tensor/dtype.js";
import { memoryTensor } from "../../tensor/memory-tensor.js";
import type { Head } from "./head.js";
import type { HeadModel } from "./head-model.js";
import type { ReducedHead } from "./reduced-head.js";

/** Rows of F that are multiplied by P at once. */
const blockRows = 4096;

/** What a reduced head computes, as a head of the ordinary shape in float32, to be measured; of two stages, as both. */
export async function spreadHead(
  { engine, head }: Pick<HeadModel, "engine" | "head">,
  reduced: ReducedHead,
): Promise<Head> {
  if (reduced.rescore !== undefined) return { ...head, preview: reduced };
  const { vocabSize, hiddenSize } = head;
  const weight = await factorTimesProjection(engine, reduced, head);
  return {
    ...head,
    weight: memoryTensor("reduced.weight", "F32", [vocabSize, hiddenSize], weight),
    bias: memoryTensor("reduced.bias", "F32", [vocabSize], reduced.bias),
    tied: false,
  };
}

/** The reduced head in the digits that a factored head is stored with: F and P in E's number type. */
export function roundedHead({ head }: Pick<HeadModel, "head">, reduced: ReducedHead): ReducedHead {
  const dtype = head.weight.dtype as FloatDType;
  const rounded = (values: Float32Array) => decodeFloat32(dtype, encodeFloats(dtype, values));
  const { projection, factor } = reduced;
  return { ...reduced, factor: rounded(factor), projection: projection && rounded(projection) };
}

/** F P as float32 [V, d]. */
export async function factorTimesProjection(
  engine: Engine,
  reduced: ReducedHead,
  { vocabSize, hiddenSize: d }: Pick<Head, "vocabSize" | "hiddenSize">,
): Promise<Float32Array> {
  const { coordinates, projection, factor, kept } = reduced;
  const weight = new Float32Array(vocabSize * d);
  if (coordinates !== undefined) {
    for (let w = 0; w < vocabSize; w++) {
      for (let j = 0; j < kept; j++) weight[w * d + coordinates[j]!] = factor[w * kept + j]!;
    }
    return weight;
  }
  const graph = createGraph("factor_times_projection");
  const rows = graph.input("rows", "float32", ["n", kept]);
  const p = graph.weight(memoryTensor("projection", "F32", [kept, d], projection!));
  graph.output(graph.op("MatMul", [rows, p]), "weight", "float32", ["n", d]);
  const session = await engine.load(graph, { oneAtATime: true });
  try {
    for (let start = 0; start < vocabSize; start += blockRows) {
      const end = Math.min(start + blockRows, vocabSize);
      const data = factor.slice(start * kept, end * kept);
      const outputs = await session.run({ rows: { type: "float32", data, dims: [end - start, kept] } });
      weight.set(float32Output(outputs, "weight"), start * d);
    }
  } finally {
    await session.release();
  }
  return weight;
}
