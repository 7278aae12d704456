import { timesTransposed } from "../../engine/block-product.js";
import type { Graph, Value } from "../../engine/graph.js";
import { blocksOf } from "../../tensor/blocks/block-tensor.js";
import type { TensorEntry } from "../../tensor/safetensors/safetensors.js";
import { type HeadTransform, isIdentity, transformed } from "./head-transform.js";

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
export function isTransformed({ transform }: Head): boolean {
  return !isIdentity(transform);
}

/** Adds z = E h + b and the model's own transform to a graph. @param hidden [n, d] @returns [n, V] */
export function logits(graph: Graph, head: Head, hidden: Value): Value {
  if (blocksOf(head.weight) !== undefined && !graph.widensBlocks) {
    const product = timesTransposed(graph, hidden, head.weight);
    const biased = head.bias ? graph.op("Add", [product, graph.weightFloat32(head.bias)]) : product;
    return transformed(graph, head.transform, biased);
  }
  // One Gemm, not MatMul and Add: the bias is then added while the block of z is in cache.
  const z = graph.op("Gemm", [hidden, graph.weightFloat32(head.weight), head.bias && graph.weightFloat32(head.bias)], {
    transB: 1,
  });
  return transformed(graph, head.transform, z);
}
