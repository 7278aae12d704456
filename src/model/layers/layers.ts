import { blockRows, timesTransposed } from "../../engine/block-product.js";
import type { Graph, Value } from "../../engine/graph.js";
import { weightProduct } from "../../engine/transposed-product.js";
import { blocksOf } from "../../tensor/blocks/block-tensor.js";
import type { TensorEntry } from "../../tensor/safetensors/safetensors.js";
import { storedTransposed } from "../../tensor/tensor-views.js";
import type { Config } from "../config.js";

/** Weight and optional bias of one linear map or norm. */
export interface Affine {
  readonly weight: TensorEntry;
  readonly bias?: TensorEntry | undefined;
}

/**
 * (x - mean) / sqrt(variance + epsilon) * weight + bias over the last axis.
 * @param affine weight and bias, or the axis' size for a norm that has neither
 * @param weightOffset 1 for families that store the weight less one (Nemotron)
 */
export function layerNorm(
  graph: Graph,
  x: Value,
  affine: Affine | number,
  epsilon: number,
  weightOffset: 0 | 1 = 0,
): Value {
  const [weight, bias] =
    typeof affine === "number"
      ? [graph.constant(new Float32Array(affine).fill(1)), undefined]
      : [normWeight(graph, affine.weight, weightOffset), affine.bias && graph.weightFloat32(affine.bias)];
  return graph.op("LayerNormalization", [x, weight, bias], { axis: -1, epsilon: { float: epsilon } });
}

/**
 * x / sqrt(mean of x^2 + epsilon) * weight over the last axis.
 * @param weight or the axis' size for a norm that has none
 * @param weightOffset 1 for families that store the weight less one (Gemma)
 */
export function rmsNorm(
  graph: Graph,
  x: Value,
  weight: TensorEntry | number,
  epsilon: number,
  weightOffset: 0 | 1 = 0,
): Value {
  const factor =
    typeof weight === "number"
      ? graph.constant(new Float32Array(weight).fill(1))
      : normWeight(graph, weight, weightOffset);
  return graph.op("SimplifiedLayerNormalization", [x, factor], { axis: -1, epsilon: { float: epsilon } });
}

function normWeight(graph: Graph, weight: TensorEntry, offset: 0 | 1): Value {
  const stored = graph.weightFloat32(weight);
  return offset === 0 ? stored : graph.op("Add", [stored, graph.constant(Float32Array.of(offset))]);
}

/** x W' + b with W as torch.nn.Linear stores it, [out, in]. */
export function linear(graph: Graph, x: Value, { weight, bias }: Affine): Value {
  const product = timesTransposed(graph, x, weight);
  return bias === undefined ? product : graph.op("Add", [product, graph.weightFloat32(bias)]);
}

/** x W + b with W as GPT-2's Conv1D stores it, [in, out]. */
export function conv1d(graph: Graph, x: Value, { weight, bias }: Affine): Value {
  const stored = storedTransposed(weight);
  if (stored !== undefined && !graph.widensBlocks) return linear(graph, x, { weight: stored, bias });
  const product = weightProduct(graph, x, weight, {});
  return bias === undefined ? product : graph.op("Add", [product, graph.weightFloat32(bias)]);
}

/** Rows of an embedding matrix, widened after the look-up so that the matrix stays as it is stored. */
export function embed(graph: Graph, table: TensorEntry, indices: Value): Value {
  const blocks = blocksOf(table);
  if (blocks !== undefined && !graph.widensBlocks) return blockRows(graph, table, blocks, indices);
  const rows = graph.op("Gather", [graph.weight(table), indices]);
  return table.dtype === "F32" ? rows : graph.cast(rows, "float32");
}

export const add = (graph: Graph, a: Value, b: Value): Value => graph.op("Add", [a, b]);

/** x times a number; x itself where that is 1. */
export function scaled(graph: Graph, x: Value, factor: number): Value {
  return factor === 1 ? x : graph.op("Mul", [x, graph.constant(Float32Array.of(factor), [])]);
}

/** x with its numbers held to a largest magnitude; x itself where there is none. */
export function clipped(graph: Graph, x: Value, largest: number | undefined): Value {
  if (largest === undefined) return x;
  const bound = (value: number) => graph.constant(Float32Array.of(value), []);
  return graph.op("Clip", [x, bound(-largest), bound(largest)]);
}

/** Consecutive parts of the last axis. @param sizes their widths, which add up to its own */
export function splitLast(graph: Graph, x: Value, sizes: readonly number[]): Value[] {
  const widths = graph.constant(BigInt64Array.from(sizes, BigInt));
  return graph.ops("Split", [x, widths], sizes.length, { axis: -1 });
}

/** x with other trailing axes. @param shape 0 keeps the axis at that place, -1 is what is left */
export function reshape(graph: Graph, x: Value, shape: readonly number[]): Value {
  return graph.op("Reshape", [x, graph.constant(BigInt64Array.from(shape, BigInt))]);
}

const exactGelu = (graph: Graph, x: Value) => graph.op("Gelu", [x]);
const tanhGelu = (graph: Graph, x: Value) => graph.op("Gelu", [x], { approximate: "tanh" });
const silu = (graph: Graph, x: Value) => graph.op("Mul", [x, graph.op("Sigmoid", [x])]);
const relu = (graph: Graph, x: Value) => graph.op("Relu", [x]);

/** Activation functions by their names in transformers (ACT2FN). */
const activations = {
  gelu: exactGelu,
  gelu_python: exactGelu,
  gelu_new: tanhGelu,
  gelu_fast: tanhGelu,
  gelu_accurate: tanhGelu,
  gelu_pytorch_tanh: tanhGelu,
  gelu_python_tanh: tanhGelu,
  quick_gelu: (graph, x) => graph.op("Mul", [x, graph.op("Sigmoid", [scaled(graph, x, 1.702)])]),
  relu,
  relu2: (graph, x) => graph.op("Mul", [relu(graph, x), relu(graph, x)]),
  silu,
  swish: silu,
  tanh: (graph, x) => graph.op("Tanh", [x]),
  sigmoid: (graph, x) => graph.op("Sigmoid", [x]),
  linear: (_, x) => x,
} satisfies Record<string, (graph: Graph, x: Value) => Value>;

export type Activation = keyof typeof activations;
export const activationNames = Object.keys(activations) as Activation[];

/** Reads an activation's name. @throws InputError naming the field and the known ones */
export function activationOf(config: Config, field: string, fallback: Activation): Activation {
  return config.choice(field, activationNames, fallback);
}

export const activate = (graph: Graph, activation: Activation, x: Value): Value => activations[activation](graph, x);
