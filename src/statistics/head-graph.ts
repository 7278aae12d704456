import type { Engine } from "../engine/engine.js";
import { createGraph, type Graph, type Value } from "../engine/graph.js";
import { outputOuterProducts } from "../engine/outer-products.js";
import { type Head, isTransformed, logits } from "../model/head/head.js";

/** Sizes of the sets whose probability is summed: the likeliest 1, 10 and 100 tokens. */
export const topSizes = [1, 10, 100] as const;

/**
 * A graph that reduces hidden states to what HeadStatistics sums, so that no V-wide row leaves the engine.
 *
 * Input `hidden`, float32 [contexts, d]. Outputs:
 * - `sum_probability`, float32 [V]: sum of softmax(z_t) over the contexts
 * - `moments`, [d + 2, d + 2]: X'X for the contexts, X_t = [h_t, L_t, 1], as `outerProducts` reads it
 * - `entropy`, `logit_deviation`, float32 [contexts]
 * - `top_1_mass`, `top_10_mass`, `top_100_mass`, float32 [contexts]: probability of the likeliest tokens
 * - of heads with a transform, `sum_logit` and `sum_squared_log_probability`, float32 [V]: over the contexts, of z and (z - L)^2
 */
export function headStatisticsGraph(head: Head, engine: Pick<Engine, "capabilities">): Graph {
  const { vocabSize, hiddenSize } = head;
  const graph = createGraph("head-statistics", engine);
  const ints = (...values: number[]) => graph.constant(BigInt64Array.from(values, BigInt));
  const lastAxis = ints(-1);
  const perRow = (type: string, x: Value, keepdims = 0) => graph.op(type, [x, lastAxis], { keepdims });

  const hidden = graph.input("hidden", "float32", ["contexts", hiddenSize]);
  const z = logits(graph, head, hidden);
  const p = graph.op("Softmax", [z], { axis: -1 });
  const sumProbability = graph.op("ReduceSum", [p, ints(0)], { keepdims: 0 });
  graph.output(sumProbability, "sum_probability", "float32", [vocabSize]);

  // The 100 are left unsorted, which costs a fifth less; the 10 are then chosen among them.
  const largest = (x: Value, count: number) => graph.ops("TopK", [x, ints(count)], 2, { axis: -1, sorted: 0 })[0]!;
  const top100 = largest(p, Math.min(100, vocabSize));
  const top1 = perRow("ReduceMax", top100, 1);
  graph.output(perRow("ReduceSum", top100), "top_100_mass", "float32", ["contexts"]);
  graph.output(perRow("ReduceSum", largest(top100, Math.min(10, vocabSize))), "top_10_mass", "float32", ["contexts"]);
  graph.output(graph.op("Squeeze", [top1, lastAxis]), "top_1_mass", "float32", ["contexts"]);

  // L = z_w - ln p_w for any w; the likeliest token loses the least to rounding.
  const logNormalizer = graph.op("Sub", [perRow("ReduceMax", z, 1), graph.op("Log", [top1])]);
  const expectedLogit = perRow("ReduceSum", graph.op("Mul", [p, z]));
  const entropy = graph.op("Sub", [graph.op("Squeeze", [logNormalizer, lastAxis]), expectedLogit]);
  graph.output(entropy, "entropy", "float32", ["contexts"]);

  const mean = perRow("ReduceMean", z);
  const meanSquare = perRow("ReduceMean", graph.op("Mul", [z, z]));
  const variance = graph.op("Relu", [graph.op("Sub", [meanSquare, graph.op("Mul", [mean, mean])])]);
  graph.output(graph.op("Sqrt", [variance]), "logit_deviation", "float32", ["contexts"]);

  if (isTransformed(head)) {
    graph.output(graph.op("ReduceSum", [z, ints(0)], { keepdims: 0 }), "sum_logit", "float32", [vocabSize]);
    const squared = graph.op("ReduceSumSquare", [graph.op("Sub", [z, logNormalizer]), ints(0)], { keepdims: 0 });
    graph.output(squared, "sum_squared_log_probability", "float32", [vocabSize]);
  }

  const ones = graph.op("Exp", [graph.op("Sub", [logNormalizer, logNormalizer])]);
  const augmented = graph.op("Concat", [hidden, logNormalizer, ones], { axis: -1 });
  outputOuterProducts(graph, augmented, "moments", hiddenSize + 2);
  return graph;
}
