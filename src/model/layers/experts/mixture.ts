import { timesTransposed } from "../../../engine/block-product.js";
import type { Graph, Value } from "../../../engine/graph.js";
import { weightProduct } from "../../../engine/transposed-product.js";
import type { TensorEntry } from "../../../tensor/safetensors/safetensors.js";
import { type Activation, activate, add, reshape, splitLast } from "../layers.js";
import type { ExpertWeights } from "./expert-weights.js";
import type { Routing } from "./routers.js";

/** The experts of one layer and what they compute: W_down (gated(W_gate x, W_up x)). */
export interface Experts {
  readonly weights: ExpertWeights;
  /** Numbers inside an expert. */
  readonly inner: number;
  readonly gated: Gated;
  /** Whether an expert's share is a factor on what goes in instead of on what comes out. */
  readonly sharesInputs?: boolean;
}

/** Joins gate and up, [rows, inner] each. */
export type Gated = (graph: Graph, gate: Value, up: Value) => Value;

/** activation(gate) * up */
export const gatedBy =
  (activation: Activation): Gated =>
  (graph, gate, up) =>
    graph.op("Mul", [activate(graph, activation, gate), up]);

/**
 * sum over the chosen experts e of share_e * expert_e(x) (Shazeer et al. 2017, arXiv 1701.06538). Only chosen experts
 * compute: a row for each token and each of its choices, in the order of the experts, so that each expert's rows are one
 * block that its matrices multiply. An expert that nobody chose multiplies no rows.
 * @param x [batch, time, d] @param routing choices of its batch * time tokens @returns [batch, time, d]
 */
export function mixture(graph: Graph, x: Value, routing: Routing, experts: Experts): Value {
  const { weights, sharesInputs = false } = experts;
  const { perToken } = routing;
  const count = weights.down.length;
  const d = weights.down[0]!.shape[weights.inputsFirst ? 1 : 0]!;
  const order = orderByExpert(graph, routing, count);
  const flat = reshape(graph, x, [-1, d]);
  const ofRows = () => graph.op("Gather", [reshape(graph, routing.shares, [-1, 1]), order.slots]);
  const shares = sharesInputs ? order.split(ofRows()) : undefined;
  const outputs = order.split(order.tokens).map((tokens, expert) => {
    const rows = graph.op("Gather", [flat, tokens]);
    return oneExpert(graph, shares ? graph.op("Mul", [rows, shares[expert]!]) : rows, experts, expert);
  });
  const rows = outputs.length === 1 ? outputs[0]! : graph.op("Concat", outputs, { axis: 0 });
  const bySlot = reshape(graph, graph.op("Gather", [rows, order.places]), [-1, perToken, d]);
  // A row of shares times a matrix of outputs, for each token.
  const factors = sharesInputs
    ? graph.constant(new Float32Array(perToken).fill(1), [1, perToken])
    : reshape(graph, routing.shares, [-1, 1, perToken]);
  return graph.op("Reshape", [graph.op("MatMul", [factors, bySlot]), graph.op("Shape", [x])]);
}

/** What an expert makes of its rows, [rows, d] each. */
function oneExpert(graph: Graph, rows: Value, { weights, inner, gated }: Experts, expert: number): Value {
  const biased = (value: Value, biases: readonly TensorEntry[] | undefined) =>
    biases === undefined ? value : add(graph, value, graph.weightFloat32(biases[expert]!));
  const product = (value: Value, matrix: TensorEntry) => multiply(graph, value, matrix, weights.inputsFirst);
  const [first, second] = weights.gateUp[expert]!.map((matrix) => product(rows, matrix)) as [Value, Value?];
  const [gate, up] =
    second === undefined
      ? gateAndUp(graph, biased(first, weights.biases?.gateUp), inner, weights.interleaved)
      : [first, second];
  return biased(product(gated(graph, gate, up), weights.down[expert]!), weights.biases?.down);
}

function gateAndUp(graph: Graph, both: Value, inner: number, interleaved: boolean): [Value, Value] {
  if (!interleaved) return splitLast(graph, both, [inner, inner]) as [Value, Value];
  const pairs = splitLast(graph, reshape(graph, both, [-1, inner, 2]), [1, 1]);
  return pairs.map((part) => reshape(graph, part, [-1, inner])) as [Value, Value];
}

function multiply(graph: Graph, rows: Value, matrix: TensorEntry, inputsFirst: boolean): Value {
  return inputsFirst ? weightProduct(graph, rows, matrix, {}) : timesTransposed(graph, rows, matrix);
}

/** Rows of tokens in the order of the experts that they are for; a slot is a token and one of its choices. */
interface ExpertOrder {
  /** int64 [rows]: which slot and token a row is for. */
  readonly slots: Value;
  readonly tokens: Value;
  /** int64 [slots]: which row a slot has. */
  readonly places: Value;
  /** The rows of each expert. @param x [rows, ...] */
  split(x: Value): Value[];
}

function orderByExpert(graph: Graph, { chosen, perToken }: Routing, count: number): ExpertOrder {
  const integers = (...values: number[]) => graph.constant(BigInt64Array.from(values, BigInt));
  const scalar = (value: number) => graph.constant(BigInt64Array.of(BigInt(value)), []);
  const numbers = graph.constant(
    BigInt64Array.from({ length: count }, (_, i) => BigInt(i)),
    [count, 1],
  );
  const isChosen = graph.op("Equal", [reshape(graph, chosen, [1, -1]), numbers]);
  const [, places] = graph.ops("Split", [graph.op("NonZero", [isChosen]), integers(1, 1)], 2, { axis: 0 });
  const slots = reshape(graph, places!, [-1]);
  const rowsOf = graph.op("ReduceSum", [graph.cast(isChosen, "int64"), integers(1)], { keepdims: 0 });
  const rowNumbers = graph.op("Range", [scalar(0), graph.op("Size", [slots]), scalar(1)]);
  return {
    slots,
    tokens: perToken === 1 ? slots : graph.op("Div", [slots, scalar(perToken)]),
    places: graph.op("ScatterElements", [slots, slots, rowNumbers], { axis: 0 }),
    split: (x) => (count === 1 ? [x] : graph.ops("Split", [x, rowsOf], count, { axis: 0 })),
  };
}
