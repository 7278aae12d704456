import type { Graph, Value } from "../../engine/graph.js";
import type { Head } from "./head.js";
import { transformed } from "./head-transform.js";
import { previewLogits, type ReducedHead, reducedLogits, rescoreCount, withExactLogits } from "./reduced-head.js";

/**
 * Adds the logits of a reduced head to a graph, exact ones for those of its likeliest tokens that it rescores: of E only
 * their rows are read, one context after another, so that a long prompt takes no more memory than one token.
 * @param hidden [n, d] @returns [n, V]
 */
export function rescoredLogits(graph: Graph, head: Head, reduced: ReducedHead, hidden: Value): Value {
  if (reduced.rescore === undefined) return reducedLogits(graph, head, reduced, hidden);
  const count = rescoreCount(graph, reduced.rescore);
  const weight = graph.weightFloat32(head.weight);
  const bias = head.bias && graph.weightFloat32(head.bias);
  const batch = graph.constant(BigInt64Array.of(0n));
  const asSteps = (x: Value) => graph.op("Unsqueeze", [x, batch]);
  const preview = previewLogits(graph, head, reduced, hidden);
  const { outputs } = graph.scan([], [asSteps(hidden), asSteps(preview)], (_, [h, previewed]) => {
    const exactOf = (tokens: Value) => {
      const ids = graph.op("Squeeze", [tokens, batch]);
      const rows = graph.op("Gather", [weight, ids], { axis: 0 });
      const biases = bias && graph.op("Gather", [bias, ids], { axis: 0 });
      return graph.op("Gemm", [h!, rows, biases], { transB: 1 });
    };
    return { states: [], outputs: [withExactLogits(graph, previewed!, count, exactOf)] };
  });
  return transformed(graph, head.transform, graph.op("Squeeze", [outputs[0]!, batch]));
}
