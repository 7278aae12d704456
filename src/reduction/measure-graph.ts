import { createGraph, type Graph, type Value } from "../engine/graph.js";
import { type Head, logits } from "../model/head.js";
import { nestedLogits } from "./nested-logits.js";
import type { ReducedHead } from "./orders.js";

/** Below every probability that matters, and still above zero: 0 ln 0 counts as 0. */
const leastProbability = 1e-38;

/**
 * A graph that holds R reduced heads against the original in the same contexts; no V-wide row leaves the engine.
 *
 * Inputs: `hidden`, float32 [rows, d]; `next_token`, int64 [rows, 1]. Outputs, nats: `agrees`, float32 [rows, R]: 1
 * where the original's likeliest token is the reduced head's; `next`, float32 [rows, 1 + R]: ln p of the next token;
 * `kl` and, where asked for, `js`, float32 [rows, R]. In float32, so that one context is known to about 1e-6: for means over many, of heads
 * that lost something. `divergenceGraph` is exact.
 */
export function measureGraph(head: Head, reduced: readonly ReducedHead[], { js }: { js: boolean }): Graph {
  const graph = createGraph("measure-reduced");
  const hidden = graph.input("hidden", "float32", ["rows", head.hiddenSize]);
  const nextToken = graph.input("next_token", "int64", ["rows", 1]);
  const axis = graph.constant(BigInt64Array.of(-1n));
  const sum = (x: Value) => graph.op("ReduceSum", [x, axis], { keepdims: 1 });
  const largest = (x: Value) => graph.op("ReduceMax", [x, axis], { keepdims: 1 });
  const number = (value: number) => graph.constant(Float32Array.of(value), []);
  const at = (values: Value, token: Value) => graph.op("GatherElements", [values, token], { axis: 1 });
  const distribution = (z: Value) => {
    const p = graph.op("Softmax", [z], { axis: -1 });
    const peak = largest(z);
    // ln of the sum of exp: of the likeliest token, z - ln p. The peak's p is the largest, and never 0.
    const normaliser = graph.op("Sub", [peak, graph.op("Log", [largest(p)])]);
    return { z, p, peak, normaliser, next: graph.op("Sub", [at(z, nextToken), normaliser]) };
  };
  const original = distribution(logits(graph, head, hidden));
  // Ten times as fast as ArgMax, and as many times slower than the largest alone.
  const [, top] = graph.ops("TopK", [original.z, graph.constant(BigInt64Array.of(1n))], 2) as [Value, Value];
  const meanLogit = (p: Value, z: Value) => sum(graph.op("Mul", [p, z]));
  const minusEntropy = graph.op("Sub", [meanLogit(original.p, original.z), original.normaliser]);
  const all = nestedLogits(graph, head, reduced, hidden).map((z) => {
    const other = distribution(z);
    const cross = graph.op("Sub", [meanLogit(original.p, other.z), other.normaliser]);
    const kl = graph.op("Sub", [minusEntropy, cross]);
    const agrees = graph.cast(graph.op("GreaterOrEqual", [at(z, top), other.peak]), "float32");
    return { ...other, kl, agrees };
  });
  const divergenceOf = (other: (typeof all)[number]) => {
    const otherMinusEntropy = graph.op("Sub", [meanLogit(other.p, other.z), other.normaliser]);
    const both = graph.op("Max", [graph.op("Add", [original.p, other.p]), number(leastProbability)]);
    // JS = (sum p ln p + sum q ln q - sum (p + q) ln (p + q)) / 2 + ln 2.
    const mixed = meanLogit(both, graph.op("Log", [both]));
    const halves = graph.op("Sub", [graph.op("Add", [minusEntropy, otherMinusEntropy]), mixed]);
    return graph.op("Add", [graph.op("Mul", [halves, number(0.5)]), number(Math.LN2)]);
  };
  const beside = (values: Value[]) => graph.op("Concat", values, { axis: 1 });
  graph.output(beside(all.map(({ agrees }) => agrees)), "agrees", "float32", ["rows", all.length]);
  graph.output(beside([original, ...all].map(({ next }) => next)), "next", "float32", ["rows", 1 + all.length]);
  graph.output(beside(all.map(({ kl }) => kl)), "kl", "float32", ["rows", all.length]);
  if (js) graph.output(beside(all.map(divergenceOf)), "js", "float32", ["rows", all.length]);
  return graph;
}
