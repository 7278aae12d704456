import type { Graph, Value } from "../../engine/graph.js";
import { memoryTensor } from "../../tensor/memory-tensor.js";
import { blockSizes, boundBlocks, type PreviewBound, reducedNames } from "./reduced-head.js";

/** What the logits can be at most, but for a slack of each context. */
export interface PreviewLimits {
  /** z^_w + reach_w . |u|, [n, V]. */
  readonly upper: Value;
  /** [n, 1]. */
  readonly slack: Value;
}

/**
 * How far a preview can be off, added to a graph.
 * @param hidden [n, d] @param preview z^, [n, V] @param parts P h, [n, k]
 */
export function previewLimits(
  graph: Graph,
  { reader, centre, reach, slack }: PreviewBound,
  { hidden, preview, parts }: { hidden: Value; preview: Value; parts: Value },
): PreviewLimits {
  const j = centre.length;
  const weight = (part: keyof PreviewBound, shape: number[], values: Float32Array) =>
    graph.weight(memoryTensor(reducedNames[part], "F32", shape, values));
  const rows = weight("reader", [j, reader.length / j], reader);
  const square = (x: Value) => graph.op("Mul", [x, x]);
  const read = graph.op("Gemm", [hidden, rows], { transB: 1 });
  const u = graph.op("Sub", [read, weight("centre", [j], centre)]);
  const sizes = graph.op("Sqrt", [graph.op("MatMul", [square(u), graph.constant(blockColumns(j), [j, boundBlocks])])]);
  const reached = weight("reach", [reach.length / boundBlocks, boundBlocks], reach);
  const slacks = weight("slack", [2], slack);
  const slackAt = (i: number) => graph.op("Gather", [slacks, graph.constant(BigInt64Array.of(BigInt(i)))], { axis: 0 });
  const axis = graph.constant(BigInt64Array.of(-1n));
  const length = graph.op("Sqrt", [graph.op("ReduceSum", [square(parts), axis], { keepdims: 1 })]);
  return {
    upper: graph.op("Gemm", [sizes, reached, preview], { transB: 1 }),
    slack: graph.op("Add", [graph.op("Mul", [length, slackAt(0)]), slackAt(1)]),
  };
}

/** 1 where a number of u belongs to a block, [j, B]. */
function blockColumns(j: number): Float32Array {
  const columns = new Float32Array(j * boundBlocks);
  let at = 0;
  for (const [block, size] of blockSizes(j).entries()) {
    for (let i = 0; i < size; i++, at++) columns[at * boundBlocks + block] = 1;
  }
  return columns;
}

/** Tokens whose exact logits show how high a limit has to be: as many are rescored in any case. */
export const seedTokens = 64;

/**
 * How many tokens' logits can be the largest: those whose limit reaches the largest exact logit of the first few by limit.
 * @param count m, int64 [1]: at most so many of these are looked at
 * @param exactOf from tokens [n, s] to their exact logits [n, s]
 * @returns least: what a limit is at least of a token that is to be rescored, [n, 1]; needed, of these, int64 [n, 1]
 */
export function candidates(
  graph: Graph,
  { upper, slack }: PreviewLimits,
  count: Value,
  exactOf: (tokens: Value) => Value,
): { readonly least: Value; readonly needed: Value } {
  const axis = graph.constant(BigInt64Array.of(-1n));
  const seeds = graph.op("Min", [count, graph.constant(BigInt64Array.of(BigInt(seedTokens)))]);
  const [limits, tokens] = graph.ops("TopK", [upper, seeds], 2) as [Value, Value];
  const over = (type: "ReduceMax" | "ReduceMin", x: Value) => graph.op(type, [x, axis], { keepdims: 1 });
  const reached = graph.op("Sub", [over("ReduceMax", exactOf(tokens)), slack]);
  const least = graph.op("Min", [reached, over("ReduceMin", limits)]);
  const can = graph.cast(graph.op("GreaterOrEqual", [upper, least]), "int64");
  return { least, needed: graph.op("ReduceSum", [can, axis], { keepdims: 1 }) };
}
