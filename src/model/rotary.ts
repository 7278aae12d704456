import type { Graph, Value } from "../engine/graph.js";
import type { Rope } from "./rope.js";

/** Cosines and sines of rotary position embedding for the positions of one pass, [time, rotated / 2] each. */
export interface RotaryTables {
  readonly cos: Value;
  readonly sin: Value;
  /** How many of each head's numbers are rotated; the others pass unchanged. */
  readonly rotated: number;
}

/** @param positions int64 [time] */
export function rotaryTables(graph: Graph, positions: Value, rope: Rope): RotaryTables {
  const column = graph.op("Unsqueeze", [graph.cast(positions, "float32"), graph.constant(BigInt64Array.of(1n))]);
  const angles = graph.op("Mul", [column, rope.frequencies(graph, positions)]);
  const scaled = (table: Value) =>
    rope.attentionFactor === 1
      ? table
      : graph.op("Mul", [table, graph.constant(Float32Array.of(rope.attentionFactor), [])]);
  return { cos: scaled(graph.op("Cos", [angles])), sin: scaled(graph.op("Sin", [angles])), rotated: rope.rotated };
}

/**
 * Turns pairs of numbers of q or k by their position's angles.
 * @param x [batch, time, heads * size]
 * @param pairs "halves": number i with i + rotated/2 (GPT-NeoX, Llama); "neighbours": 2i with 2i + 1 (GPT-J)
 */
export function rotate(
  graph: Graph,
  x: Value,
  heads: number,
  { cos, sin, rotated }: RotaryTables,
  pairs: "halves" | "neighbours" = "halves",
): Value {
  // The tables hold the rows of this pass only, so that row 0 is its first position whatever that is.
  const firstRow = graph.constant(BigInt64Array.of(0n));
  return graph.op("RotaryEmbedding", [x, firstRow, cos, sin], {
    num_heads: heads,
    rotary_embedding_dim: rotated,
    interleaved: pairs === "neighbours" ? 1 : 0,
  });
}
