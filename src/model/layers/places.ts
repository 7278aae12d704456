import type { Graph, Value } from "../../engine/graph.js";
import type { ForwardPass, KeyValueCache } from "../architecture.js";

/** Places of the queries and keys of a pass in the text, int64 [time] and [keys]; distances are differences of them. */
function places({ graph, positions, tokenIds, cache }: ForwardPass): { queries: Value; keys: Value } {
  if (cache === undefined) return { queries: positions, keys: positions };
  const scalar = (value: bigint) => graph.constant(BigInt64Array.of(value), []);
  const width = (x: Value) =>
    graph.op("Squeeze", [graph.op("Shape", [x], { start: 1, end: 2 }), graph.constant(BigInt64Array.of(0n))]);
  const end = width(cache.attentionMask);
  return {
    queries: graph.op("Range", [graph.op("Sub", [end, width(tokenIds)]), end, scalar(1n)]),
    keys: graph.op("Range", [scalar(0n), end, scalar(1n)]),
  };
}

/** How far each key is before each query, int64 [time, keys]; negative where it comes later. */
export function distances(pass: ForwardPass): Value {
  const { graph } = pass;
  const { queries, keys } = places(pass);
  const axis = (value: bigint) => graph.constant(BigInt64Array.of(value));
  return graph.op("Sub", [graph.op("Unsqueeze", [queries, axis(1n)]), graph.op("Unsqueeze", [keys, axis(0n)])]);
}

/** How many tokens of its text each place has up to and with itself, int64 [batch, past + time]. */
export function ordinals(graph: Graph, { attentionMask }: KeyValueCache): Value {
  return graph.op("CumSum", [attentionMask, graph.constant(BigInt64Array.of(1n), [])]);
}
