import type { Engine } from "../../engine/engine.js";
import { createGraph, type Graph, type Value } from "../../engine/graph.js";
import { type Head, logits } from "../../model/head/head.js";
import { transformedWithSlope } from "../../model/head/head-transform.js";
import { withExactLogits } from "../../model/head/reduced-head.js";
import type { Whitening } from "./whitening.js";

/**
 * KL(original || reduced), or one step's gradient of it by all that the reduced head is made of.
 *
 * Inputs, float32: `hidden` [n, d]; `factor` F [V, k]; `bias` b' [V]; `projection` [k, r] of directions, or `parts` [n, k],
 * the kept coordinates of h. Outputs: `kl` [n], nats; with `gradients` instead, of its sum over the n contexts,
 * `factor_gradient` [V, k], `bias_gradient` [V] and, of directions, `projection_gradient` [k, r].
 * @param whitening of directions: what the projection is applied to, r uncorrelated numbers of variance 1 made of h
 * @param rescore m: the likeliest tokens by the reduced head have the original's logits, so that only the others count: where
 * it is wrong about which these are, they do
 */
export function refineGraph(
  head: Head,
  engine: Pick<Engine, "capabilities">,
  kept: number,
  {
    whitening,
    rescore,
    gradients,
  }: { whitening: Whitening | undefined; rescore: number | undefined; gradients: boolean },
): Graph {
  const { vocabSize: V, hiddenSize: d } = head;
  const graph = createGraph("refine", engine);
  const mul = (a: Value, b: Value) => graph.op("Mul", [a, b]);
  const lastAxis = graph.constant(BigInt64Array.of(-1n), [1]);
  const hidden = graph.input("hidden", "float32", ["n", d]);
  const factor = graph.input("factor", "float32", [V, kept]);
  const bias = graph.input("bias", "float32", [V]);
  const white = whitening && whitened(graph, whitening, hidden);
  const projection = whitening ? graph.input("projection", "float32", [kept, whitening.rank]) : undefined;
  const parts = projection
    ? graph.op("Gemm", [white!, projection], { transB: 1 })
    : graph.input("parts", "float32", ["n", kept]);
  const raw = graph.op("Gemm", [parts, factor, bias], { transB: 1 });
  const { value: reduced, slope } = transformedWithSlope(graph, head.transform, raw);
  const original = logits(graph, head, hidden);
  const rescored = rescore === undefined ? undefined : withOriginal(graph, reduced, original, rescore);
  const both = [original, rescored ? rescored.logits : reduced];
  if (!gradients) {
    const [logP, logQ] = both.map((z) => graph.op("LogSoftmax", [z], { axis: -1 })) as [Value, Value];
    const terms = mul(graph.op("Exp", [logP]), graph.op("Sub", [logP, logQ]));
    graph.output(graph.op("ReduceSum", [terms, lastAxis], { keepdims: 0 }), "kl", "float32", ["n"]);
    return graph;
  }
  const [p, q] = both.map((z) => graph.op("Softmax", [z], { axis: -1 })) as [Value, Value];
  const difference = graph.op("Sub", [q, p]);
  const pulled = slope ? mul(difference, slope) : difference;
  const pull = rescored ? rescored.withoutThem(pulled) : pulled;
  const firstAxis = graph.constant(BigInt64Array.of(0n), [1]);
  const factorGradient = graph.op("Gemm", [pull, parts], { transA: 1 });
  graph.output(factorGradient, "factor_gradient", "float32", [V, kept]);
  graph.output(graph.op("ReduceSum", [pull, firstAxis], { keepdims: 0 }), "bias_gradient", "float32", [V]);
  if (projection) {
    const projectionGradient = graph.op("Gemm", [graph.op("MatMul", [pull, factor]), white!], { transA: 1 });
    graph.output(projectionGradient, "projection_gradient", "float32", [kept, whitening!.rank]);
  }
  return graph;
}

/** The original's logits in the place of the m largest reduced ones, and what is zero in their places. */
function withOriginal(graph: Graph, reduced: Value, original: Value, m: number) {
  let likeliest: Value | undefined;
  const logits = withExactLogits(graph, reduced, graph.constant(BigInt64Array.of(BigInt(m))), (tokens) => {
    likeliest = tokens;
    return graph.op("GatherElements", [original, tokens], { axis: 1 });
  });
  const withoutThem = (values: Value) => {
    const theirs = graph.op("GatherElements", [values, likeliest], { axis: 1 });
    const zeros = graph.op("Sub", [theirs, theirs]);
    return graph.op("ScatterElements", [values, likeliest, zeros], { axis: 1 });
  };
  return { logits, withoutThem };
}

function whitened(graph: Graph, { rank, matrix, mean }: Whitening, hidden: Value): Value {
  const d = mean.length;
  const centred = graph.op("Sub", [hidden, graph.constant(Float32Array.from(mean), [d])]);
  return graph.op("Gemm", [centred, graph.constant(Float32Array.from(matrix), [rank, d])], { transB: 1 });
}
