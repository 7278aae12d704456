import { float32Output } from "../../engine/engine.js";
import { createGraph } from "../../engine/graph.js";
import { logits } from "../../model/head/head.js";
import { overContexts, type Subject, type Watched } from "../solve/problem/fitting-text.js";

/** The largest probability that each token has in any of some contexts, [V]: tells unused tokens. */
export async function largestProbabilities(
  { head, engine, contexts }: Subject,
  watched: Watched = {},
): Promise<Float32Array> {
  const graph = createGraph("largest_probabilities", engine);
  const z = logits(graph, head, graph.input("hidden", "float32", ["n", head.hiddenSize]));
  const p = graph.op("Softmax", [z], { axis: -1 });
  const contextAxis = graph.constant(BigInt64Array.of(0n), [1]);
  graph.output(graph.op("ReduceMax", [p, contextAxis], { keepdims: 0 }), "largest", "float32", [head.vocabSize]);
  const largest = new Float32Array(head.vocabSize);
  await overContexts({ engine, contexts, graph, watched }, (outputs) => {
    for (const [id, value] of float32Output(outputs, "largest").entries()) {
      if (value > largest[id]!) largest[id] = value;
    }
  });
  return largest;
}
