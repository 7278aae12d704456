import type { Graph, Value } from "../engine/graph.js";
import type { TensorEntry } from "../tensor/safetensors.js";

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
  const { scale, softCap } = head.transform;
  // One Gemm, not MatMul and Add: the bias is then added while the block of z is in cache.
  let z = graph.op("Gemm", [hidden, graph.weightFloat32(head.weight), head.bias && graph.weightFloat32(head.bias)], {
    transB: 1,
  });
  if (scale !== undefined && scale !== 1) z = graph.op("Mul", [z, graph.constant(Float32Array.of(scale), [])]);
  if (softCap !== undefined) {
    const cap = graph.constant(Float32Array.of(softCap), []);
    z = graph.op("Mul", [graph.op("Tanh", [graph.op("Div", [z, cap])]), cap]);
  }
  return z;
}
