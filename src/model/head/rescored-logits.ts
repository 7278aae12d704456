import type { Graph, Value } from "../../engine/graph.js";
import { candidates, previewLimits } from "./bounded-preview.js";
import type { Head } from "./head.js";
import { transformed } from "./head-transform.js";
import { previewOf, type ReducedHead, reducedLogits, rescoreCount, withExactLogits } from "./reduced-head.js";

/**
 * Adds the logits of a reduced head to a graph, exact ones for those of its likeliest tokens that it rescores: of E only
 * their rows are read, one context after another, so that a long prompt takes no more memory than one token. With a bound, all of E where others could be the likeliest.
 * @param hidden [n, d] @returns [n, V]
 */
export function rescoredLogits(graph: Graph, head: Head, reduced: ReducedHead, hidden: Value): Value {
  const { rescore, bound } = reduced;
  if (rescore === undefined) return reducedLogits(graph, head, reduced, hidden);
  const count = rescoreCount(graph, rescore);
  const weight = graph.weightFloat32(head.weight);
  const bias = head.bias && graph.weightFloat32(head.bias);
  const batch = graph.constant(BigInt64Array.of(0n));
  const { preview, parts } = previewOf(graph, head, reduced, hidden);
  const limits = bound && previewLimits(graph, bound, { hidden, preview, parts });
  const steps = [hidden, preview, ...(limits ? [limits.upper, limits.slack] : [])];
  const { outputs } = graph.scan(
    [],
    steps.map((x) => graph.op("Unsqueeze", [x, batch])),
    (_, at) => {
      const [h, previewed, upper, slack] = at as [Value, Value, Value | undefined, Value | undefined];
      const exactOf = (tokens: Value) => {
        const ids = graph.op("Squeeze", [tokens, batch]);
        const rows = graph.op("Gather", [weight, ids], { axis: 0 });
        const biases = bias && graph.op("Gather", [bias, ids], { axis: 0 });
        return graph.op("Gemm", [h, rows, biases], { transB: 1 });
      };
      if (!upper || !slack) return { states: [], outputs: [withExactLogits(graph, previewed, count, exactOf)] };
      const { needed } = candidates(graph, { upper, slack }, count, exactOf);
      const one = graph.op("Squeeze", [needed, batch]);
      const rescored = () => {
        const [, tokens] = graph.ops("TopK", [upper, one], 2, { sorted: 0 }) as [Value, Value];
        return graph.op("ScatterElements", [previewed, tokens, exactOf(tokens)], { axis: 1 });
      };
      const whole = () => graph.op("Gemm", [h, weight, bias], { transB: 1 });
      const z = graph.branch(graph.op("Squeeze", [graph.op("LessOrEqual", [needed, count])]), rescored, whole);
      return { states: [], outputs: [z] };
    },
  );
  return transformed(graph, head.transform, graph.op("Squeeze", [outputs[0]!, batch]));
}
