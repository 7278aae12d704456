import { timesTransposed } from "../../engine/block-product.js";
import type { Graph, Value } from "../../engine/graph.js";
import { blocksOf } from "../../tensor/blocks/block-tensor.js";
import type { TensorEntry } from "../../tensor/safetensors/safetensors.js";
import { type HeadTransform, isIdentity, transformed } from "./head-transform.js";
import { previewLogits, type ReducedHead, rescoreCount, withExactLogits } from "./reduced-head.js";

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
  /** A head of two stages: only where this one finds its `rescore` likeliest tokens are the logits those of E. */
  readonly preview?: ReducedHead | undefined;
}

/** Whether the logits are more than E h + b. */
export function isTransformed({ transform }: Head): boolean {
  return !isIdentity(transform);
}

/**
 * Adds z = E h + b and the model's own transform to a graph. Of two stages all of E is multiplied, as is best for many
 * contexts at once; `rescoredLogits` reads no more than the rows that count.
 * @param hidden [n, d] @returns [n, V]
 */
export function logits(graph: Graph, head: Head, hidden: Value): Value {
  const exact = exactLogits(graph, head, hidden);
  if (head.preview?.rescore === undefined) return transformed(graph, head.transform, exact);
  const preview = previewLogits(graph, head, head.preview, hidden);
  const z = withExactLogits(graph, preview, rescoreCount(graph, head.preview.rescore), (tokens) =>
    graph.op("GatherElements", [exact, tokens], { axis: 1 }),
  );
  return transformed(graph, head.transform, z);
}

/** E h + b. */
function exactLogits(graph: Graph, head: Head, hidden: Value): Value {
  if (blocksOf(head.weight) !== undefined && !graph.widensBlocks) {
    const product = timesTransposed(graph, hidden, head.weight);
    return head.bias ? graph.op("Add", [product, graph.weightFloat32(head.bias)]) : product;
  }
  // One Gemm, not MatMul and Add: the bias is then added while the block of z is in cache.
  return graph.op("Gemm", [hidden, graph.weightFloat32(head.weight), head.bias && graph.weightFloat32(head.bias)], {
    transB: 1,
  });
}
