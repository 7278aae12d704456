import type { Graph, Value } from "../../engine/graph.js";
import type { ForwardPass } from "../architecture.js";
import type { Rope } from "./rope.js";

/** Cosines and sines of rotary position embedding for the positions of one pass, [rows, rotated / 2] each. */
export interface RotaryTables {
  readonly cos: Value;
  readonly sin: Value;
  /** Which of the rows each token takes: the first one's, or each its own. */
  readonly rows: Value;
  /** How many of each head's numbers are rotated; the others pass unchanged. */
  readonly rotated: number;
}

/** Tables of passes by rope, so that layers share them. */
const tables = new WeakMap<ForwardPass, Map<Rope, RotaryTables>>();

/** Tables with a row for each position; made once for each pass and rope. */
export function rotaryTables(pass: ForwardPass, rope: Rope): RotaryTables {
  const ofPass = tables.get(pass) ?? new Map<Rope, RotaryTables>();
  tables.set(pass, ofPass);
  const ofRope = ofPass.get(rope) ?? buildTables(pass, rope);
  ofPass.set(rope, ofRope);
  return ofRope;
}

function buildTables({ graph, positions, cache }: ForwardPass, rope: Rope): RotaryTables {
  if (rope.byLength !== undefined) cache?.lengthMatters(rope.byLength.changesAfter);
  const column = graph.op("Reshape", [graph.cast(positions, "float32"), graph.constant(BigInt64Array.of(-1n, 1n))]);
  const angles = graph.op("Mul", [column, rope.frequencies(graph, positions)]);
  const scaled = (table: Value) =>
    rope.attentionFactor === 1
      ? table
      : graph.op("Mul", [table, graph.constant(Float32Array.of(rope.attentionFactor), [])]);
  return {
    cos: scaled(graph.op("Cos", [angles])),
    sin: scaled(graph.op("Sin", [angles])),
    // Where all windows have the same positions, the tables hold their rows only, so that row 0 is the first whatever it is.
    rows: cache === undefined ? graph.constant(BigInt64Array.of(0n)) : rowNumbers(graph, positions),
    rotated: rope.rotated,
  };
}

/** 0, 1, 2, ... in the shape of the positions. */
function rowNumbers(graph: Graph, positions: Value): Value {
  const scalar = (value: bigint) => graph.constant(BigInt64Array.of(value), []);
  const numbers = graph.op("Range", [scalar(0n), graph.op("Size", [positions]), scalar(1n)]);
  return graph.op("Reshape", [numbers, graph.op("Shape", [positions])]);
}

/** Which numbers of a head are turned together: i with i + rotated/2 (GPT-NeoX, Llama), or 2i with 2i + 1 (GPT-J). */
export type RotatedPairs = "halves" | "neighbours";

/**
 * Turns pairs of numbers of q or k by their position's angles.
 * @param x [batch, time, numHeads * headDim]
 */
export function rotate(
  graph: Graph,
  x: Value,
  numHeads: number,
  { cos, sin, rows, rotated }: RotaryTables,
  pairs: RotatedPairs = "halves",
): Value {
  return graph.op("RotaryEmbedding", [x, rows, cos, sin], {
    num_heads: numHeads,
    rotary_embedding_dim: rotated,
    interleaved: pairs === "neighbours" ? 1 : 0,
  });
}
