import type { Graph, Value } from "../engine/graph.js";
import { type Head, transformed } from "../model/head.js";
import type { ReducedHead } from "../reduction/orders.js";
import type { FloatDType } from "../tensor/dtype.js";
import { memoryTensor } from "../tensor/memory-tensor.js";

/**
 * Adds z = F P h + b' and the model's own transform to a graph; F and P are stored in E's number type.
 * @param hidden [n, d] @returns [n, V]
 * @throws RangeError if the reduced head does not have the head's shape
 */
export function reducedLogits(graph: Graph, head: Head, reduced: ReducedHead, hidden: Value): Value {
  const { vocabSize, hiddenSize } = head;
  const { kept, coordinates, projection, factor, bias } = reduced;
  const dtype = head.weight.dtype as FloatDType;
  const weight = (name: string, shape: number[], values: Float32Array, type = dtype) =>
    graph.weightFloat32(memoryTensor(`lm_head.${name}`, type, shape, values));
  const directions = () => weight("projection", [kept, hiddenSize], projection!);
  const parts =
    coordinates === undefined
      ? graph.op("Gemm", [hidden, directions()], { transB: 1 })
      : graph.op("Gather", [hidden, graph.constant(BigInt64Array.from(coordinates, BigInt))], { axis: 1 });
  const z = graph.op(
    "Gemm",
    [parts, weight("factor", [vocabSize, kept], factor), weight("factor.bias", [vocabSize], bias, "F32")],
    { transB: 1 },
  );
  return transformed(graph, head.transform, z);
}
