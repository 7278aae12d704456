import type { Graph, Value } from "../../engine/graph.js";
import type { FloatDType } from "../../tensor/dtype.js";
import { memoryIndices, memoryTensor } from "../../tensor/memory-tensor.js";
import type { TensorEntry } from "../../tensor/safetensors/safetensors.js";
import { type HeadTransform, transformed } from "./head-transform.js";

/** What a reduced head is of: as much of a `Head` as it takes. */
interface ReducedOf {
  readonly weight: TensorEntry;
  readonly transform: HeadTransform;
  readonly vocabSize: number;
  readonly hiddenSize: number;
}

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
  /** m: the likeliest tokens by these logits, a preview then, get their exact ones from their rows of E. Default: none. */
  readonly rescore?: number | undefined;
  /** With `rescore`, of a projection: how far the preview can be off, so that the likeliest token is always the head's own. */
  readonly bound?: PreviewBound | undefined;
}

/**
 * |z_w - z^_w| <= reach_w . (|u_1|, ..., |u_B|) + slack_0 |P h| + slack_1 (METHOD.md section 4), u = R h - R mean in B blocks
 * of rising size: what is not kept of h.
 */
export interface PreviewBound {
  /** R, float32 [j, d]. */
  readonly reader: Float32Array;
  /** R mean, [j]. */
  readonly centre: Float32Array;
  /** Norms of what the preview lacks of E_w along the directions of each block, [V, B]. */
  readonly reach: Float32Array;
  /** Of digits, [2]. */
  readonly slack: Float32Array;
}

/** B. */
export const boundBlocks = 4;

/** Directions of each block, of j: about twice as many as in the one before, which count for more. */
export function blockSizes(j: number): number[] {
  const ends = Array.from({ length: boundBlocks }, (_, i) =>
    Math.round((j * (2 ** (i + 1) - 1)) / (2 ** boundBlocks - 1)),
  );
  return ends.map((end, i) => end - (ends[i - 1] ?? 0));
}

/** What the parts of a factored head are called in a graph. */
export const reducedNames = {
  coordinates: "lm_head.coordinates",
  projection: "lm_head.projection",
  factor: "lm_head.factor",
  bias: "lm_head.factor.bias",
  rescore: "lm_head.rescore",
  reader: "lm_head.bound.reader",
  centre: "lm_head.bound.centre",
  reach: "lm_head.bound.reach",
  slack: "lm_head.bound.slack",
} as const;

/**
 * Adds z = F P h + b' and the model's own transform to a graph: of a head that rescores, its preview. F and P are stored in
 * E's number type. For one token at a time onnxruntime reads F as fast in this layout as in any other: it packs it anew when it loads it.
 * @param hidden [n, d] @param prefix of the weights' names, where a graph has several @returns [n, V]
 * @throws RangeError if the reduced head does not have the head's shape
 */
export function reducedLogits(graph: Graph, head: ReducedOf, reduced: ReducedHead, hidden: Value, prefix = ""): Value {
  return transformed(graph, head.transform, previewOf(graph, head, reduced, hidden, prefix).preview);
}

/** The same before the model's own transform, [n, V], and P h that it is made of, [n, k]. */
export function previewOf(
  graph: Graph,
  head: Omit<ReducedOf, "transform">,
  reduced: ReducedHead,
  hidden: Value,
  prefix = "",
): { readonly preview: Value; readonly parts: Value } {
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
  const preview = graph.op(
    "Gemm",
    [parts, weight("factor", [vocabSize, kept], factor), weight("bias", [vocabSize], bias, "F32")],
    { transB: 1 },
  );
  return { preview, parts };
}

/**
 * Puts exact logits in the place of the largest previewed ones.
 * @param preview [n, V] @param count m, int64 [1] @param exactOf from tokens [n, m] to their exact logits [n, m]
 */
export function withExactLogits(graph: Graph, preview: Value, count: Value, exactOf: (tokens: Value) => Value): Value {
  const [, tokens] = graph.ops("TopK", [preview, count], 2, { sorted: 0 }) as [Value, Value];
  return graph.op("ScatterElements", [preview, tokens, exactOf(tokens)], { axis: 1 });
}

/** m, as `withExactLogits` takes it: stored, so that it is found again in a file. */
export function rescoreCount(graph: Graph, rescore: number): Value {
  return graph.weight(memoryIndices(reducedNames.rescore, Int32Array.of(rescore)));
}
