import type { Graph, Value } from "../../engine/graph.js";
import type { ForwardPass } from "../architecture.js";

/** The columns of the tokens of this pass. @param x [batch, past + time] */
export function columnsOfPass({ graph, tokenIds }: ForwardPass, x: Value): Value {
  const integers = (value: bigint) => graph.constant(BigInt64Array.of(value));
  const start = graph.op("Neg", [timeOf(graph, tokenIds)]);
  return graph.op("Slice", [x, start, integers(2n ** 31n), integers(1n)]);
}

/** x with zeros in place of padding, which states must not take in. @param x [batch, time, ...] of one more axis */
export function withoutPadding(pass: ForwardPass, x: Value): Value {
  const { graph, cache } = pass;
  if (cache === undefined) return x;
  const isToken = graph.cast(columnsOfPass(pass, cache.attentionMask), "float32");
  return graph.op("Mul", [x, graph.op("Unsqueeze", [isToken, graph.constant(BigInt64Array.of(-1n))])]);
}

/** How many tokens of each text a pass reads, int64 [1]. @param x [batch, time, ...] */
export function timeOf(graph: Graph, x: Value): Value {
  return graph.op("Shape", [x], { start: 1, end: 2 });
}
