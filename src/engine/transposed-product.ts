import type { TensorEntry } from "../tensor/safetensors/safetensors.js";
import type { Graph, Value } from "./graph.js";

/** How a product takes its matrices, the last two axes of each operand. */
export interface ProductForm {
  /** How many axes a has, if its matrices are to be transposed. */
  readonly transposeA?: number;
  /** How many axes b has, if its matrices are to be transposed. */
  readonly transposeB?: number;
  /** Factor on the product; 1 if left out. */
  readonly factor?: number;
}

/** factor a b, a' b or a b', in one step on engines that have it. */
export function transposedProduct(
  graph: Graph,
  a: Value,
  b: Value,
  { transposeA, transposeB, factor = 1 }: ProductForm,
): Value {
  const isPlain = transposeA === undefined && transposeB === undefined && factor === 1;
  if (graph.capabilities.fusedProducts && !isPlain) {
    return graph.op("FusedMatMul", [a, b], {
      ...(transposeA !== undefined && { transA: 1 }),
      ...(transposeB !== undefined && { transB: 1 }),
      ...(factor !== 1 && { alpha: { float: factor } }),
    });
  }
  const product = graph.op("MatMul", [transposed(graph, a, transposeA), transposed(graph, b, transposeB)]);
  return factor === 1 ? product : graph.op("Mul", [product, graph.constant(Float32Array.of(factor), [])]);
}

function transposed(graph: Graph, x: Value, axes: number | undefined): Value {
  if (axes === undefined) return x;
  const perm = Array.from({ length: axes }, (_, axis) => axis);
  return graph.op("Transpose", [x], { perm: [...perm.slice(0, -2), axes - 1, axes - 2] });
}

/** x W or x W' with a stored matrix; both are rounded to float16 first where products are to be computed so. */
export function weightProduct(graph: Graph, x: Value, weight: TensorEntry, form: ProductForm): Value {
  if (!graph.capabilities.float16Products) return transposedProduct(graph, x, graph.weightFloat32(weight), form);
  const product = transposedProduct(graph, graph.cast(x, "float16"), graph.weightFloat16(weight), form);
  return graph.cast(product, "float32");
}
