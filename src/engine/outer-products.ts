import { float32Output, float64Output, type Tensors } from "./engine.js";
import type { Graph, Value } from "./graph.js";

/**
 * How much larger than a column's largest number is what it is rounded by: 2^17 leaves 7 bits of it, so that sums of up to
 * 2^9 products of two such numbers are whole multiples below 2^24, which float32 holds exactly.
 */
const roundingFactor = 2 ** 17;

/**
 * Adds X'X as an output of a graph, exact to about the last bits of float64; where the engine has no float64, to about 1e-10
 * of the largest products as two outputs in float32: a part without any rounding, and what it lacks. Either is read with
 * `outerProducts`.
 *
 * With X = S + R, where S is X rounded to a few bits (Ozaki et al. 2012, "Error-free transformations of matrix
 * multiplication"): X'X = S'S + (S'R + R'X).
 * @param x float32 [n, size], n up to a few hundred
 */
export function outputOuterProducts(graph: Graph, x: Value, name: string, size: number): void {
  const swapped = (value: Value) => graph.op("Transpose", [value], { perm: [1, 0] });
  const product = (a: Value, b: Value) => graph.op("MatMul", [swapped(a), b]);
  if (graph.capabilities.float64) {
    const wide = graph.cast(x, "float64");
    graph.output(product(wide, wide), name, "float64", [size, size]);
    return;
  }
  const contexts = graph.constant(BigInt64Array.of(0n));
  const largest = graph.op("ReduceMax", [graph.op("Abs", [x]), contexts], { keepdims: 1 });
  const rounder = graph.op("Mul", [largest, graph.constant(Float32Array.of(roundingFactor), [])]);
  const rounded = graph.op("Sub", [graph.op("Add", [x, rounder]), rounder]);
  const rest = graph.op("Sub", [x, rounded]);
  graph.output(product(rounded, rounded), `${name}_rounded`, "float32", [size, size]);
  graph.output(graph.op("Add", [product(rounded, rest), product(rest, x)]), `${name}_rest`, "float32", [size, size]);
}

/** X'X, [size, size], of what `outputOuterProducts` put out. */
export function outerProducts(outputs: Tensors, name: string): Float64Array {
  if (outputs[name] !== undefined) return float64Output(outputs, name);
  const sum = Float64Array.from(float32Output(outputs, `${name}_rounded`));
  const rest = float32Output(outputs, `${name}_rest`);
  for (let i = 0; i < sum.length; i++) sum[i]! += rest[i]!;
  return sum;
}
