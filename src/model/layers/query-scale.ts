import type { Value } from "../../engine/graph.js";
import type { ForwardPass } from "../architecture.js";

/**
 * 1 + beta ln(1 + floor((position + first) / every)) for each token: a factor on q that keeps attention from spreading over long
 * texts (Llama 4, Meta 2025).
 * @returns [time, 1] or [batch, time, 1]
 */
export function growingQueries(
  { graph, positions }: ForwardPass,
  { beta, every, first = 0 }: { beta: number; every: number; first?: 0 | 1 },
): Value {
  const scalar = (value: number) => graph.constant(Float32Array.of(value), []);
  const integer = (value: number) => graph.constant(BigInt64Array.of(BigInt(value)), []);
  const counted = first === 0 ? positions : graph.op("Add", [positions, integer(first)]);
  const periods = graph.op("Div", [counted, integer(every)]);
  const logarithm = graph.op("Log", [graph.op("Add", [graph.cast(periods, "float32"), scalar(1)])]);
  const factors = graph.op("Add", [graph.op("Mul", [logarithm, scalar(beta)]), scalar(1)]);
  return graph.op("Unsqueeze", [factors, graph.constant(BigInt64Array.of(-1n))]);
}
