import type { Graph, Value } from "../engine/graph.js";
import type { TensorEntry } from "../tensor/safetensors.js";
import type { Config } from "./config.js";

/** Weight and optional bias of one linear map or norm. */
export interface Affine {
  readonly weight: TensorEntry;
  readonly bias?: TensorEntry | undefined;
}

/** (x - mean) / sqrt(variance + epsilon) * weight + bias over the last axis. */
export function layerNorm(graph: Graph, x: Value, { weight, bias }: Affine, epsilon: number): Value {
  return graph.op("LayerNormalization", [x, graph.weightFloat32(weight), bias && graph.weightFloat32(bias)], {
    axis: -1,
    epsilon: { float: epsilon },
  });
}

/** x W' + b with W as torch.nn.Linear stores it, [out, in]. */
export function linear(graph: Graph, x: Value, { weight, bias }: Affine): Value {
  const product = graph.op("FusedMatMul", [x, graph.weightFloat32(weight)], { transB: 1 });
  return bias === undefined ? product : graph.op("Add", [product, graph.weightFloat32(bias)]);
}

/** x W + b with W as GPT-2's Conv1D stores it, [in, out]. */
export function conv1d(graph: Graph, x: Value, { weight, bias }: Affine): Value {
  const product = graph.op("MatMul", [x, graph.weightFloat32(weight)]);
  return bias === undefined ? product : graph.op("Add", [product, graph.weightFloat32(bias)]);
}

/** Rows of an embedding matrix, widened after the look-up so that the matrix stays as it is stored. */
export function embed(graph: Graph, table: TensorEntry, indices: Value): Value {
  const rows = graph.op("Gather", [graph.weight(table), indices]);
  return table.dtype === "F32" ? rows : graph.cast(rows, "float32");
}

export const add = (graph: Graph, a: Value, b: Value): Value => graph.op("Add", [a, b]);

/** Activation functions by their names in transformers (ACT2FN). */
const activations = {
  gelu: (graph: Graph, x: Value) => graph.op("Gelu", [x]),
  gelu_python: (graph: Graph, x: Value) => graph.op("Gelu", [x]),
  gelu_new: (graph: Graph, x: Value) => graph.op("Gelu", [x], { approximate: "tanh" }),
  gelu_fast: (graph: Graph, x: Value) => graph.op("Gelu", [x], { approximate: "tanh" }),
  gelu_pytorch_tanh: (graph: Graph, x: Value) => graph.op("Gelu", [x], { approximate: "tanh" }),
  relu: (graph: Graph, x: Value) => graph.op("Relu", [x]),
  silu: (graph: Graph, x: Value) => graph.op("Mul", [x, graph.op("Sigmoid", [x])]),
  swish: (graph: Graph, x: Value) => graph.op("Mul", [x, graph.op("Sigmoid", [x])]),
  tanh: (graph: Graph, x: Value) => graph.op("Tanh", [x]),
  sigmoid: (graph: Graph, x: Value) => graph.op("Sigmoid", [x]),
} satisfies Record<string, (graph: Graph, x: Value) => Value>;

export type Activation = keyof typeof activations;

/** Reads an activation's name. @throws InputError naming the field and the known ones */
export function activationOf(config: Config, field: string, fallback: Activation): Activation {
  return config.choice(field, Object.keys(activations) as Activation[], fallback);
}

export const activate = (graph: Graph, activation: Activation, x: Value): Value => activations[activation](graph, x);

/**
 * Causal softmax attention. @param q [batch, time, heads * size], k and v alike
 * @param scale factor on q . k  @returns [batch, time, heads * size]
 */
export function causalAttention(
  graph: Graph,
  { q, k, v, heads, scale }: { q: Value; k: Value; v: Value; heads: number; scale: number },
): Value {
  return graph.op("MultiHeadAttention", [q, k, v], { num_heads: heads, unidirectional: 1, scale: { float: scale } });
}
