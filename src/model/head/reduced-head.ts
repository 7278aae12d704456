import type { Graph, Value } from "../../engine/graph.js";
import type { FloatDType } from "../../tensor/dtype.js";
import { memoryIndices, memoryTensor } from "../../tensor/memory-tensor.js";
import type { Head } from "./head.js";
import { transformed } from "./head-transform.js";

/**
 * A head that uses k numbers of h: z = F P h + b', before the model's own transform. For coordinates, P selects those kept.
 */
export interface ReducedHead {
  /** k. */
  readonly kept: number;
  /** Coordinates of h that are kept, ascending [k]; undefined for directions. */
  readonly coordinates: Int32Array | undefined;
  /** P, float32 [k, d], for directions; undefined for coordinates. */
  readonly projection: Float32Array | undefined;
  /** F, float32 [V, k]. */
  readonly factor: Float32Array;
  /** b', [V]: what the head's own bias becomes. */
  readonly bias: Float32Array;
}

/** What the parts of a factored head are called in a graph. */
export const reducedNames = {
  coordinates: "lm_head.coordinates",
  projection: "lm_head.projection",
  factor: "lm_head.factor",
  bias: "lm_head.factor.bias",
} as const;

/**
 * Adds z = F P h + b' and the model's own transform to a graph; F and P are stored in E's number type.
 * For one token at a time onnxruntime reads F as fast in this layout as in any other: it packs it anew when it loads it.
 * @param hidden [n, d] @param prefix of the weights' names, where a graph has several @returns [n, V]
 * @throws RangeError if the reduced head does not have the head's shape
 */
export function reducedLogits(graph: Graph, head: Head, reduced: ReducedHead, hidden: Value, prefix = ""): Value {
  const { vocabSize, hiddenSize } = head;
  const { kept, coordinates, projection, factor, bias } = reduced;
  const dtype = head.weight.dtype as FloatDType;
  const weight = (part: "projection" | "factor" | "bias", shape: number[], values: Float32Array, type = dtype) =>
    graph.weightFloat32(memoryTensor(prefix + reducedNames[part], type, shape, values));
  const parts =
    coordinates === undefined
      ? graph.op("Gemm", [hidden, weight("projection", [kept, hiddenSize], projection!)], { transB: 1 })
      : graph.op("Gather", [hidden, graph.weight(memoryIndices(prefix + reducedNames.coordinates, coordinates))], {
          axis: 1,
        });
  const z = graph.op(
    "Gemm",
    [parts, weight("factor", [vocabSize, kept], factor), weight("bias", [vocabSize], bias, "F32")],
    {
      transB: 1,
    },
  );
  return transformed(graph, head.transform, z);
}
