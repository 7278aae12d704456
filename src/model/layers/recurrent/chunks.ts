import type { Graph, Value } from "../../../engine/graph.js";
import { timeOf } from "../padding.js";

/** Tokens that are computed side by side: memory grows with this times the text's length, not with the length's square. */
const longestChunk = 64;

/** A text in pieces of one length, the last one filled up. */
export interface TextChunks {
  /** @param x [batch, time, ...rest] @param rest its other sizes @returns [batch, chunks, length, ...rest], with zeros at the end */
  cut(x: Value, rest: readonly number[]): Value;
  /** @param x [batch, chunks, length, ...rest] @returns [batch, time, ...rest] */
  join(x: Value, rest: readonly number[]): Value;
  /** Of a chunk, int64 scalar. */
  readonly length: Value;
}

/** @param like [batch, time, ...]: its number of tokens */
export function chunksOf(graph: Graph, like: Value): TextChunks {
  const integer = (value: number) => graph.constant(BigInt64Array.of(BigInt(value)));
  const time = timeOf(graph, like);
  const length = graph.op("Min", [time, integer(longestChunk)]);
  const filled = graph.op("Sub", [graph.op("Add", [time, length]), integer(1)]);
  const count = graph.op("Div", [filled, length]);
  const missing = graph.op("Sub", [graph.op("Mul", [count, length]), time]);
  const shape = (parts: readonly Value[], rest: readonly number[]) =>
    graph.op("Concat", [integer(0), ...parts, ...rest.map(integer)], { axis: 0 });
  return {
    length: graph.op("Squeeze", [length]),
    cut(x, rest) {
      const none = (axes: number) => Array.from({ length: axes }, () => integer(0));
      const pads = graph.op("Concat", [...none(rest.length + 3), missing, ...none(rest.length)], { axis: 0 });
      return graph.op("Reshape", [graph.op("Pad", [x, pads]), shape([count, length], rest)]);
    },
    join(x, rest) {
      const whole = graph.op("Reshape", [x, shape([integer(-1)], rest)]);
      return graph.op("Slice", [whole, integer(0), time, integer(1)]);
    },
  };
}

/** What is left, at each token of a chunk, of what was there before: exp of sums of log decays. */
export interface Decays {
  /** From token j to token i, 0 where j is later, [..., i, j]. */
  readonly between: Value;
  /** From before the chunk to token i, [..., i, 1]. */
  readonly fromStart: Value;
  /** From token j to the chunk's end, [..., j, 1]. */
  readonly toEnd: Value;
  /** Over the whole chunk, [..., 1, 1]. */
  readonly whole: Value;
}

/**
 * Sums are made for each pair of tokens: differences of one cumulative sum would lose the digits of small decays behind large ones.
 * @param logs [..., length, 1] @param length int64 scalar
 */
export function decays(graph: Graph, logs: Value, length: Value): Decays {
  const isNotLater = lowerTriangle(graph, length, 0);
  const isEarlier = lowerTriangle(graph, length, 1);
  // Row k, column j: the decay at k if j is earlier. Row i of the product sums over k <= i.
  const sums = graph.op("MatMul", [isNotLater, graph.op("Mul", [logs, isEarlier])]);
  const between = graph.op("Mul", [graph.op("Exp", [sums]), isNotLater]);
  const fromStart = graph.op("Exp", [graph.op("MatMul", [isNotLater, logs])]);
  const last = (x: Value) => {
    const at = (value: bigint) => graph.constant(BigInt64Array.of(value));
    return graph.op("Slice", [x, at(-1n), at(2n ** 31n), at(-2n)]);
  };
  return { between, fromStart, toEnd: swapLast(graph, last(between), 4), whole: last(fromStart) };
}

/** 1 where the column is earlier than the row by at least so much, else 0, [length, length]. */
export function lowerTriangle(graph: Graph, length: Value, by: number): Value {
  const [rows, columns] = places(graph, length);
  const distance = graph.op("Sub", [rows, columns]);
  const least = graph.constant(BigInt64Array.of(BigInt(by)), []);
  return graph.cast(graph.op("GreaterOrEqual", [distance, least]), "float32");
}

/** 0, 1, 2, ... as a column and as a row. */
export function places(graph: Graph, length: Value): readonly [column: Value, row: Value] {
  const scalar = (value: bigint) => graph.constant(BigInt64Array.of(value), []);
  const numbers = graph.op("Range", [scalar(0n), length, scalar(1n)]);
  const along = (axis: bigint) => graph.op("Unsqueeze", [numbers, graph.constant(BigInt64Array.of(axis))]);
  return [along(1n), along(0n)];
}

/** The last two axes of x swapped. @param rank how many it has */
function swapLast(graph: Graph, x: Value, rank: number): Value {
  const axes = Array.from({ length: rank }, (_, axis) => axis);
  return graph.op("Transpose", [x], { perm: [...axes.slice(0, -2), rank - 1, rank - 2] });
}
