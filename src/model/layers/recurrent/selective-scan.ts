import type { Graph, Value } from "../../../engine/graph.js";

/** What each token does to the state, [batch, time, ...]. */
export interface SelectiveInputs {
  /** What goes in, and its step, [channels] each. */
  readonly x: Value;
  readonly step: Value;
  /** Where it is written and read, [stateSize] each. */
  readonly b: Value;
  readonly c: Value;
}

/**
 * S <- exp(step a) S + (step x) b', output S c (Mamba: Gu & Dao 2023, arXiv 2312.00752), token by token: every number of
 * the state has a decay of its own, so that no matrix product does several tokens at once.
 * @param a [channels, stateSize] @param state the same for each text @returns output [batch, time, channels], and the state after it
 */
export function selectiveScan(
  graph: Graph,
  { x, step, b, c }: SelectiveInputs,
  a: Value,
  state: Value,
): { readonly output: Value; readonly state: Value } {
  const axis = (at: bigint) => graph.constant(BigInt64Array.of(at));
  const { states, outputs } = graph.scan([state], [graph.op("Mul", [step, x]), step, b, c], ([s], parts) => {
    const [input, steps, writes, reads] = parts as [Value, Value, Value, Value];
    const column = (value: Value) => graph.op("Unsqueeze", [value, axis(-1n)]);
    const decay = graph.op("Exp", [graph.op("Mul", [column(steps), a])]);
    const written = graph.op("Mul", [column(input), graph.op("Unsqueeze", [writes, axis(1n)])]);
    const next = graph.op("Add", [graph.op("Mul", [decay, s!]), written]);
    const output = graph.op("Squeeze", [graph.op("MatMul", [next, column(reads)]), axis(-1n)]);
    return { states: [next], outputs: [output] };
  });
  return { output: outputs[0]!, state: states[0]! };
}
