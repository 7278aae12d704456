import type { Graph, Value } from "../../../engine/graph.js";
import { transposedProduct } from "../../../engine/transposed-product.js";
import { reshape } from "../layers.js";
import { chunksOf, decays } from "./chunks.js";

/** Sizes of one layer's state, [heads, stateSize, headDim]; heads / groups heads share what is written and read. */
export interface StateSpaceSizes {
  readonly heads: number;
  readonly groups: number;
  readonly headDim: number;
  readonly stateSize: number;
}

/** What each token does to the state, [batch, time, ...]. */
export interface StateSpaceInputs {
  /** What goes in, already times its step, [heads, headDim]. */
  readonly x: Value;
  /** Logarithm of the factor on the state, [heads, 1]. */
  readonly logDecay: Value;
  /** Where it is written and read, [groups, stateSize] each. */
  readonly b: Value;
  readonly c: Value;
}

/**
 * S <- decay S + b x', output S' c (Mamba-2: Dao & Gu 2024, arXiv 2405.21060), chunk by chunk: within one, it is attention
 * whose scores are c . b times the decay between two tokens.
 * @param state [batch, heads, stateSize, headDim] @returns output [batch, time, heads * headDim], and the state after it
 */
export function groupedStateSpace(
  graph: Graph,
  { x, logDecay, b, c }: StateSpaceInputs,
  { heads, groups, headDim, stateSize }: StateSpaceSizes,
  state: Value,
): { readonly output: Value; readonly state: Value } {
  const chunks = chunksOf(graph, x);
  const inputs = [
    chunks.cut(x, [heads, headDim]),
    chunks.cut(logDecay, [heads, 1]),
    chunks.cut(b, [groups, stateSize]),
    chunks.cut(c, [groups, stateSize]),
  ];
  const { states, outputs } = graph.scan([state], inputs, ([s], parts) => {
    const [xs, logs, bs, cs] = parts.map((part) => graph.op("Transpose", [part], { perm: [0, 2, 1, 3] })) as [
      Value,
      Value,
      Value,
      Value,
    ];
    const multiply = (a: Value, factor: Value) => graph.op("Mul", [a, factor]);
    // [batch, heads, ...] to [batch, groups, heads / groups, ...], beside [batch, groups, 1, ...] of b and c.
    const grouped = (value: Value) =>
      graph.op("Reshape", [
        value,
        graph.op(
          "Concat",
          [
            graph.constant(BigInt64Array.from([0, groups, heads / groups], BigInt)),
            graph.op("Shape", [value], { start: 2, end: 4 }),
          ],
          { axis: 0 },
        ),
      ]);
    const ofGroup = (value: Value) => graph.op("Unsqueeze", [value, graph.constant(BigInt64Array.of(2n))]);
    const { between, fromStart, toEnd, whole } = decays(graph, logs, chunks.length);
    const scores = multiply(ofGroup(transposedProduct(graph, cs, bs, { transposeB: 4 })), grouped(between));
    const inside = graph.op("MatMul", [scores, grouped(xs)]);
    const fromBefore = multiply(graph.op("MatMul", [ofGroup(cs), grouped(s!)]), grouped(fromStart));
    const output = graph.op("Add", [inside, fromBefore]);
    const written = transposedProduct(graph, ofGroup(bs), grouped(multiply(xs, toEnd)), { transposeA: 5 });
    const kept = reshape(graph, written, [0, heads, stateSize, headDim]);
    const next = graph.op("Add", [multiply(s!, whole), kept]);
    const ungrouped = graph.op("Reshape", [
      output,
      graph.op(
        "Concat",
        [
          graph.constant(BigInt64Array.from([0, heads], BigInt)),
          graph.op("Unsqueeze", [chunks.length, graph.constant(BigInt64Array.of(0n))]),
          graph.constant(BigInt64Array.of(BigInt(headDim))),
        ],
        { axis: 0 },
      ),
    ]);
    return { states: [next], outputs: [graph.op("Transpose", [ungrouped], { perm: [0, 2, 1, 3] })] };
  });
  return { output: chunks.join(outputs[0]!, [heads * headDim]), state: states[0]! };
}
