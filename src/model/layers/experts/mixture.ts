import { timesTransposed } from "../../../engine/block-product.js";
import type { Graph, Value } from "../../../engine/graph.js";
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
  /** What is added after the matrices of each expert: [experts, 2 inner] and [experts, d]. */
  readonly biases?: { readonly gateUp: TensorEntry; readonly down: TensorEntry };
  /** Whether gate and up alternate in their common matrix instead of following each other. */
  readonly interleaved?: boolean;
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
  const { biases, sharesInputs = false } = experts;
  const count = experts.weights.down.length;
  const order = orderByExpert(graph, routing, count);
  const shareOfRow = () => {
    const flat = graph.op("Gather", [reshape(graph, routing.shares, [-1]), order.slots]);
    return reshape(graph, flat, [-1, 1]);
  };
  const d = experts.weights.inputsFirst ? experts.weights.down[0]!.shape[1]! : experts.weights.down[0]!.shape[0]!;
  const rows = graph.op("Gather", [reshape(graph, x, [-1, d]), order.tokens]);
  const inputs = sharesInputs ? graph.op("Mul", [rows, shareOfRow()]) : rows;

  /** What each expert's matrix makes of its rows, below one another. */
  const product = (blocks: readonly Value[], matrices: readonly TensorEntry[]): Value => {
    const parts = blocks.map((block, expert) => multiply(graph, block, matrices[expert]!, experts.weights.inputsFirst));
    return parts.length === 1 ? parts[0]! : graph.op("Concat", parts, { axis: 0 });
  };
  const biased = (value: Value, bias: TensorEntry | undefined) =>
    bias === undefined ? value : add(graph, value, graph.op("Gather", [graph.weightFloat32(bias), order.experts]));

  const { gateUp } = experts.weights;
  const blocks = order.split(inputs);
  const products = gateUp[0]!.map((_, part) =>
    product(
      blocks,
      gateUp.map((parts) => parts[part]!),
    ),
  );
  const [gate, up] =
    products.length === 2
      ? (products as [Value, Value])
      : gateAndUp(graph, biased(products[0]!, biases?.gateUp), experts);
  const inside = experts.gated(graph, gate, up);
  const outputs = biased(product(order.split(inside), experts.weights.down), biases?.down);
  const weighted = sharesInputs ? outputs : graph.op("Mul", [outputs, shareOfRow()]);

  const back = reshape(graph, graph.op("Gather", [weighted, order.places]), [-1, routing.perToken, d]);
  const sum = graph.op("ReduceSum", [back, graph.constant(BigInt64Array.of(1n))], { keepdims: 0 });
  return graph.op("Reshape", [sum, graph.op("Shape", [x])]);
}

function gateAndUp(graph: Graph, both: Value, { inner, interleaved = false }: Experts): [Value, Value] {
  if (!interleaved) return splitLast(graph, both, [inner, inner]) as [Value, Value];
  const pairs = splitLast(graph, reshape(graph, both, [0, inner, 2]), [1, 1]);
  return pairs.map((part) => reshape(graph, part, [0, inner])) as [Value, Value];
}

function multiply(graph: Graph, rows: Value, matrix: TensorEntry, inputsFirst: boolean): Value {
  return inputsFirst ? graph.op("MatMul", [rows, graph.weightFloat32(matrix)]) : timesTransposed(graph, rows, matrix);
}

/** Rows of tokens in the order of the experts that they are for; a slot is a token and one of its choices. */
interface ExpertOrder {
  /** int64 [rows]: which slot, token and expert a row is for. */
  readonly slots: Value;
  readonly tokens: Value;
  readonly experts: Value;
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
  const [experts, slots] = graph
    .ops("Split", [graph.op("NonZero", [isChosen]), integers(1, 1)], 2, { axis: 0 })
    .map((row) => reshape(graph, row, [-1])) as [Value, Value];
  const rowsOf = graph.op("ReduceSum", [graph.cast(isChosen, "int64"), integers(1)], { keepdims: 0 });
  const rowNumbers = graph.op("Range", [scalar(0), graph.op("Size", [slots]), scalar(1)]);
  return {
    slots,
    experts,
    tokens: perToken === 1 ? slots : graph.op("Div", [slots, scalar(perToken)]),
    places: graph.op("ScatterElements", [slots, slots, rowNumbers], { axis: 0 }),
    split: (x) => (count === 1 ? [x] : graph.ops("Split", [x, rowsOf], count, { axis: 0 })),
  };
}
