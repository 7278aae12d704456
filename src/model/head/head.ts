import type { Graph, Value } from "../../engine/graph.js";
import type { TensorEntry } from "../../tensor/safetensors/safetensors.js";

/** What some models do to E h + b before the softmax. */
export interface HeadTransform {
  /** z becomes scale * z (Cohere, Granite style). */
  readonly scale?: number | undefined;
  /** z becomes softCap * tanh(z / softCap), after the scale (Gemma 2). */
  readonly softCap?: number | undefined;
}

/** The LM head as its own object (METHOD.md, symbols). */
export interface Head {
  /** E, [V, d], as stored. */
  readonly weight: TensorEntry;
  /** b, [V]. */
  readonly bias: TensorEntry | undefined;
  readonly transform: HeadTransform;
  /** Whether E is the input embedding too. */
  readonly tied: boolean;
  readonly vocabSize: number;
  readonly hiddenSize: number;
}

/** Whether the logits are more than E h + b. */
export function isTransformed({ transform: { scale, softCap } }: Head): boolean {
  return (scale !== undefined && scale !== 1) || softCap !== undefined;
}

/** Adds z = E h + b and the model's own transform to a graph. @param hidden [n, d] @returns [n, V] */
export function logits(graph: Graph, head: Head, hidden: Value): Value {
  // One Gemm, not MatMul and Add: the bias is then added while the block of z is in cache.
  const z = graph.op("Gemm", [hidden, graph.weightFloat32(head.weight), head.bias && graph.weightFloat32(head.bias)], {
    transB: 1,
  });
  return transformed(graph, head.transform, z);
}

/** Adds what the model does to z = E h + b. */
export function transformed(graph: Graph, { scale, softCap }: HeadTransform, z: Value): Value {
  const number = (value: number) => graph.constant(Float32Array.of(value), []);
  const scaled = scale !== undefined && scale !== 1 ? graph.op("Mul", [z, number(scale)]) : z;
  if (softCap === undefined) return scaled;
  return graph.op("Mul", [graph.op("Tanh", [graph.op("Div", [scaled, number(softCap)])]), number(softCap)]);
}
