import { timesTransposed } from "../../engine/block-product.js";
import type { Graph, Value } from "../../engine/graph.js";
import { blocksOf } from "../../tensor/blocks/block-tensor.js";
import type { TensorEntry } from "../../tensor/safetensors/safetensors.js";
import { candidates, previewLimits } from "./bounded-preview.js";
import { type HeadTransform, isIdentity, transformed } from "./head-transform.js";
import { previewOf, type ReducedHead, rescoreCount, withExactLogits } from "./reduced-head.js";

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
  const { z } = twoStages(graph, head, head.preview, { hidden, exact });
  return transformed(graph, head.transform, z);
}

/** How many tokens a preview with a bound says could be the likeliest, int64 [n, 1]. */
export function tokensNeeded(graph: Graph, head: Head, preview: ReducedHead, hidden: Value): Value {
  const { needed } = twoStages(graph, head, preview, { hidden, exact: exactLogits(graph, head, hidden) });
  if (needed === undefined) throw new RangeError("the preview has no bound");
  return needed;
}

/**
 * Exact logits for the m likeliest tokens and a preview of the others; with a bound, exact ones for those that can be the
 * likeliest, and for all where these are more than m.
 */
function twoStages(
  graph: Graph,
  head: Head,
  stage: ReducedHead,
  { hidden, exact }: { hidden: Value; exact: Value },
): { readonly z: Value; readonly needed: Value | undefined } {
  const { preview, parts } = previewOf(graph, head, stage, hidden);
  const count = rescoreCount(graph, stage.rescore ?? 0);
  const exactOf = (tokens: Value) => graph.op("GatherElements", [exact, tokens], { axis: 1 });
  if (stage.bound === undefined) {
    return { z: withExactLogits(graph, preview, count, exactOf), needed: undefined };
  }
  const limits = previewLimits(graph, stage.bound, { hidden, preview, parts });
  const { least, needed } = candidates(graph, limits, count, exactOf);
  const all = graph.op("Greater", [needed, count]);
  const rescored = graph.op("Or", [all, graph.op("GreaterOrEqual", [limits.upper, least])]);
  return { z: graph.op("Where", [rescored, exact, preview]), needed };
}

/** E h + b. */
function exactLogits(graph: Graph, head: Head, hidden: Value): Value {
  const inBlocks = blocksOf(head.weight) !== undefined && !graph.widensBlocks;
  if (inBlocks || graph.capabilities.float16Products) {
    const product = timesTransposed(graph, hidden, head.weight);
    return head.bias ? graph.op("Add", [product, graph.weightFloat32(head.bias)]) : product;
  }
  // One Gemm, not MatMul and Add: the bias is then added while the block of z is in cache.
  return graph.op("Gemm", [hidden, graph.weightFloat32(head.weight), head.bias && graph.weightFloat32(head.bias)], {
    transB: 1,
  });
}
