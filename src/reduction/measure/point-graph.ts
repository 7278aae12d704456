import type { Engine } from "../../engine/engine.js";
import { createGraph, type Graph, type Value } from "../../engine/graph.js";
import { type Head, logits } from "../../model/head/head.js";

/** A graph that measures reduced logits against the original's, which it holds, and what it is built with. */
export interface PointGraph {
  readonly graph: Graph;
  /** h, [rows, d]. */
  readonly hidden: Value;
  /** E, [V, d]. */
  readonly weight: Value;
  /** Of the original: logits and p [rows, V]; the largest logit and its token, [rows, 1]. */
  readonly original: { readonly logits: Value; readonly p: Value; readonly peak: Value; readonly top: Value };
  /**
   * Measures one reduced head.
   * @param z its logits [rows, V], or with `gap` their difference to a number z0 of each row, which need not be the largest
   * but should be near it
   * @param gap sum p (original z - reduced z) - (original's largest z - z0), [rows, 1]
   */
  point(z: Value, gap?: Value | undefined): Value;
  /** @param points of all reduced heads, R */
  finish(points: readonly Value[]): Graph;
  readonly op: {
    readonly [type in "add" | "subtract" | "multiply" | "matrixProduct"]: (a: Value, b: Value) => Value;
  } & { readonly sum: (x: Value) => Value; readonly beside: (parts: readonly Value[]) => Value };
}

/** What is measured of a context and reduced head, in the order of the output's columns; JS only where asked for. */
export const measureNames = ["agrees", "next", "kl", "js"] as const;

/** Below every probability that matters, and still above zero: 0 ln 0 counts as 0. */
const leastProbability = 1e-38;

/**
 * Inputs: `hidden`, float32 [rows, d]; `next_token`, int64 [rows, 1]. Output `measures`, float32 [rows, R x 3 or 4], of each
 * reduced head: whether the original's likeliest token is the reduced head's (1 or 0), ln p of the next token, KL(original
 * || reduced) and, with `js`, JS; nats. No V-wide row leaves the engine. In float32, so that one context is known to about
 * 1e-6: for means over many, of heads that lost something. `divergenceGraph` is exact.
 */
export function pointGraph(head: Head, engine: Pick<Engine, "capabilities">, { js }: { js: boolean }): PointGraph {
  const graph = createGraph("measure-reduced", engine);
  const hidden = graph.input("hidden", "float32", ["rows", head.hiddenSize]);
  const nextToken = graph.input("next_token", "int64", ["rows", 1]);
  const axis = graph.constant(BigInt64Array.of(-1n));
  const number = (value: number) => graph.constant(Float32Array.of(value), []);
  const add = (a: Value, b: Value) => graph.op("Add", [a, b]);
  const subtract = (a: Value, b: Value) => graph.op("Sub", [a, b]);
  const multiply = (a: Value, b: Value) => graph.op("Mul", [a, b]);
  const matrixProduct = (a: Value, b: Value) => graph.op("MatMul", [a, b]);
  const sum = (x: Value) => graph.op("ReduceSum", [x, axis], { keepdims: 1 });
  const largest = (x: Value) => graph.op("ReduceMax", [x, axis], { keepdims: 1 });
  const log = (x: Value) => graph.op("Log", [x]);
  const at = (values: Value, token: Value) => graph.op("GatherElements", [values, token], { axis: 1 });
  const beside = (parts: readonly Value[]) => graph.op("Concat", parts, { axis: 1 });
  const distribution = (relative: Value) => {
    const exponentials = graph.op("Exp", [relative]);
    const total = sum(exponentials);
    return { relative, exponentials, total, logTotal: log(total) };
  };
  const probabilities = (x: ReturnType<typeof distribution>) => graph.op("Div", [x.exponentials, x.total]);
  const minusEntropy = (x: ReturnType<typeof distribution>, p: Value) =>
    subtract(sum(multiply(p, x.relative)), x.logTotal);

  const original = logits(graph, head, hidden);
  const peak = largest(original);
  // Ten times as fast as ArgMax, and as many times slower than the largest alone.
  const [, top] = graph.ops("TopK", [original, graph.constant(BigInt64Array.of(1n))], 2) as [Value, Value];
  const own = distribution(subtract(original, peak));
  const p = probabilities(own);
  const ownMinusEntropy = js ? minusEntropy(own, p) : undefined;

  return {
    ...{ graph, hidden, weight: graph.weightFloat32(head.weight), original: { logits: original, p, peak, top } },
    op: { add, subtract, multiply, matrixProduct, sum, beside },
    point(z, gap) {
      const most = largest(z);
      const other = distribution(gap ? z : subtract(z, most));
      const difference = gap ?? sum(multiply(p, subtract(own.relative, other.relative)));
      const kl = add(difference, subtract(other.logTotal, own.logTotal));
      const next = subtract(at(other.relative, nextToken), other.logTotal);
      const agrees = graph.cast(graph.op("GreaterOrEqual", [at(z, top), most]), "float32");
      return beside([agrees, next, kl, ...(js ? [divergence(other)] : [])]);
    },
    // One output for all, so that of each head all is measured before the next: the engine works back from the outputs, one
    // after the other, and would otherwise hold every head's logits until the last of them.
    finish(points) {
      const columns = points.length * (measureNames.length - (js ? 0 : 1));
      graph.output(points.length > 1 ? beside(points) : points[0]!, "measures", "float32", ["rows", columns]);
      return graph;
    },
  };

  /** JS = (sum p ln p + sum q ln q - sum (p + q) ln (p + q)) / 2 + ln 2. */
  function divergence(other: ReturnType<typeof distribution>): Value {
    const q = probabilities(other);
    const both = graph.op("Max", [add(p, q), number(leastProbability)]);
    const halves = subtract(add(ownMinusEntropy!, minusEntropy(other, q)), sum(multiply(both, log(both))));
    return add(multiply(halves, number(0.5)), number(Math.LN2));
  }
}
