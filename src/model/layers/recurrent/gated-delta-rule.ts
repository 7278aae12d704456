import type { Graph, Value } from "../../../engine/graph.js";
import { transposedProduct } from "../../../engine/transposed-product.js";
import { chunksOf, decays, lowerTriangle, places } from "./chunks.js";

/** Sizes of one layer's state, [heads, keyDim, valueDim]. */
export interface DeltaRuleSizes {
  readonly heads: number;
  readonly keyDim: number;
  readonly valueDim: number;
}

/** What each token does to the state, [batch, time, heads, ...]. */
export interface DeltaRuleInputs {
  /** [keyDim] each; k of length 1 or 0. */
  readonly q: Value;
  readonly k: Value;
  /** [valueDim] */
  readonly v: Value;
  /** Logarithm of the factor on the state, [1]. */
  readonly logDecay: Value;
  /** How much of the value at k is overwritten, [1]. */
  readonly strength: Value;
}

/**
 * S <- decay S, S <- S + strength k (v - S' k)', output S' q (Yang et al. 2024, arXiv 2412.06464), chunk by chunk: within
 * one, all corrections follow from a triangular system.
 * @param state [batch, heads, keyDim, valueDim] @returns output [batch, time, heads * valueDim], and the state after it
 */
export function gatedDeltaRule(
  graph: Graph,
  { q, k, v, logDecay, strength }: DeltaRuleInputs,
  { heads, keyDim, valueDim }: DeltaRuleSizes,
  state: Value,
): { readonly output: Value; readonly state: Value } {
  const chunks = chunksOf(graph, q);
  const cut = (x: Value, size: number) => chunks.cut(x, [heads, size]);
  const inputs = [cut(q, keyDim), cut(k, keyDim), cut(v, valueDim), cut(logDecay, 1), cut(strength, 1)];
  const { states, outputs } = graph.scan([state], inputs, ([s], parts) => {
    // [batch, heads, length, size]
    const [qs, ks, vs, logs, strengths] = parts.map((part) =>
      graph.op("Transpose", [part], { perm: [0, 2, 1, 3] }),
    ) as [Value, Value, Value, Value, Value];
    const multiply = (...factors: Value[]) => factors.reduce((product, factor) => graph.op("Mul", [product, factor]));
    const product = (a: Value, b: Value) => graph.op("MatMul", [a, b]);
    const products = (a: Value, b: Value) => transposedProduct(graph, a, b, { transposeB: 4 });
    const { between, fromStart, toEnd, whole } = decays(graph, logs, chunks.length);
    const strong = multiply(ks, strengths);
    const overlap = multiply(products(strong, ks), between, lowerTriangle(graph, chunks.length, 1));
    const solve = unitTriangularInverse(graph, overlap, chunks.length);
    // What a token writes: its value less what the state before the chunk has at its key, and less what others of the chunk write.
    const asked = graph.op("Sub", [multiply(vs, strengths), product(multiply(strong, fromStart), s!)]);
    const corrections = product(solve, asked);
    const fromBefore = product(multiply(qs, fromStart), s!);
    const output = graph.op("Add", [fromBefore, product(multiply(products(qs, ks), between), corrections)]);
    const kept = transposedProduct(graph, multiply(ks, toEnd), corrections, { transposeA: 4 });
    const next = graph.op("Add", [multiply(s!, whole), kept]);
    return { states: [next], outputs: [graph.op("Transpose", [output], { perm: [0, 2, 1, 3] })] };
  });
  return { output: chunks.join(outputs[0]!, [heads * valueDim]), state: states[0]! };
}

/**
 * (I + a)^-1 of a strictly lower triangular matrix, from inverses of blocks on the diagonal that double in size:
 * of [[A, 0], [C, B]] it is [[A', 0], [-B' C A', B']]. As stable as substitution, unlike powers of a.
 * @param a [..., length, length] with length at most 64
 */
function unitTriangularInverse(graph: Graph, a: Value, length: Value): Value {
  const [row, column] = places(graph, length);
  const integer = (value: number) => graph.constant(BigInt64Array.of(BigInt(value)), []);
  let inverse = graph.cast(graph.op("Equal", [row, column]), "float32");
  for (let size = 1; size < 64; size *= 2) {
    const [rowBlock, columnBlock] = [row, column].map((place) => graph.op("Div", [place, integer(size)])) as [
      Value,
      Value,
    ];
    const isNext = graph.op("Equal", [rowBlock, graph.op("Add", [columnBlock, integer(1)])]);
    const isPair = graph.op("Equal", [graph.op("Mod", [columnBlock, integer(2)]), integer(0)]);
    const below = graph.cast(graph.op("And", [isNext, isPair]), "float32");
    const corner = graph.op("MatMul", [inverse, graph.op("Mul", [a, below])]);
    inverse = graph.op("Sub", [inverse, graph.op("MatMul", [corner, inverse])]);
  }
  return inverse;
}
