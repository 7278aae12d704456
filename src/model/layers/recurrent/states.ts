import type { Graph, Value } from "../../../engine/graph.js";
import type { ForwardPass } from "../../architecture.js";

/** Goes on from a layer's states: those that earlier passes left, or zeros. See `KeyValueCache.carry`. */
export function withStates<Name extends string>(
  pass: ForwardPass,
  shapes: Readonly<Record<Name, readonly number[]>>,
  step: (past: Readonly<Record<Name, Value>>) => Readonly<Record<Name | "output", Value>>,
): Value {
  if (pass.cache !== undefined) return pass.cache.carry(shapes, step);
  const zeros = Object.entries<readonly number[]>(shapes).map(([name, shape]) => [
    name,
    zerosOf(pass.graph, pass.tokenIds, shape),
  ]);
  return step(Object.fromEntries(zeros)).output;
}

/** [batch, ...shape]. @param like [batch, ...] */
function zerosOf(graph: Graph, like: Value, shape: readonly number[]): Value {
  const batch = graph.op("Shape", [like], { start: 0, end: 1 });
  const rest = graph.constant(BigInt64Array.from(shape, BigInt));
  return graph.op("Expand", [graph.constant(Float32Array.of(0), []), graph.op("Concat", [batch, rest], { axis: 0 })]);
}
