import type { Engine } from "../../engine/engine.js";
import { createGraph, type Graph } from "../../engine/graph.js";
import { type Head, logits } from "../../model/head/head.js";
import { transformedWithSlope } from "../../model/head/head-transform.js";
import { memoryTensor } from "../../tensor/memory-tensor.js";

/**
 * KL(original || gated) and its gradient by the map that stands for the gates: h' = mean + scale * (L x), x = (h - mean) / scale.
 *
 * Inputs, float32: `hidden` [n, d]; `map` L [d, d]. Outputs, float32: `kl` [n], nats; `map_gradient` [d, d], of its sum over the n contexts.
 * @param mean of h, [d] @param scale standard deviations of h, above 0, [d]
 */
export function gateGraph(
  head: Head,
  engine: Pick<Engine, "capabilities">,
  mean: Float64Array,
  scale: Float64Array,
): Graph {
  const d = head.hiddenSize;
  const graph = createGraph("gates", engine);
  const hidden = graph.input("hidden", "float32", ["n", d]);
  const map = graph.input("map", "float32", [d, d]);
  const [centre, spread] = [
    graph.weight(memoryTensor("mean", "F32", [d], mean)),
    graph.weight(memoryTensor("scale", "F32", [d], scale)),
  ];
  const x = graph.op("Div", [graph.op("Sub", [hidden, centre]), spread]);
  const gated = graph.op("Add", [graph.op("Mul", [graph.op("Gemm", [x, map], { transB: 1 }), spread]), centre]);
  const e = graph.weightFloat32(head.weight);
  const raw = graph.op("Gemm", [gated, e, head.bias && graph.weightFloat32(head.bias)], { transB: 1 });
  const { value, slope } = transformedWithSlope(graph, head.transform, raw);
  const logP = graph.op("LogSoftmax", [logits(graph, head, hidden)], { axis: -1 });
  const logQ = graph.op("LogSoftmax", [value], { axis: -1 });
  const p = graph.op("Exp", [logP]);
  const terms = graph.op("Mul", [p, graph.op("Sub", [logP, logQ])]);
  const lastAxis = graph.constant(BigInt64Array.of(-1n), [1]);
  graph.output(graph.op("ReduceSum", [terms, lastAxis], { keepdims: 0 }), "kl", "float32", ["n"]);
  const difference = graph.op("Sub", [graph.op("Exp", [logQ]), p]);
  const pull = graph.op("MatMul", [slope ? graph.op("Mul", [difference, slope]) : difference, e]);
  const byMap = graph.op("Gemm", [graph.op("Mul", [pull, spread]), x], { transA: 1 });
  graph.output(byMap, "map_gradient", "float32", [d, d]);
  return graph;
}
