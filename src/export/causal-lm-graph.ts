import type { Graph } from "../engine/graph.js";
import { type Head, logits } from "../model/head/head.js";
import type { ReducedHead } from "../model/head/reduced-head.js";
import { rescoredLogits } from "../model/head/rescored-logits.js";
import type { CacheTensor } from "../model/layers/cache-tensors.js";
import { cachedLayers } from "../model/layers/cached-layers.js";
import type { Model } from "../model/model.js";

/** A graph whose inputs and outputs are named as optimum's ONNX exports name them, and transformers.js expects. */
export interface CausalLmGraph {
  readonly graph: Graph;
  /** In the order of the layers. */
  readonly cache: readonly CacheTensor[];
}

/**
 * A whole model with key-value cache as one graph: what cachedLayers takes in and puts out, and `logits`.
 * @param head in place of the model's own
 */
export function causalLmGraph({ description }: Model, head: Head, reduced?: ReducedHead): CausalLmGraph {
  const { graph, tokenIds, hidden, cache, putOut } = cachedLayers("causal_lm", description, {
    widensBlocks: true,
  });
  const rows = graph.op("Reshape", [hidden, graph.constant(BigInt64Array.of(-1n, BigInt(head.hiddenSize)))]);
  const flat = reduced === undefined ? logits(graph, head, rows) : rescoredLogits(graph, head, reduced, rows);
  const width = graph.constant(BigInt64Array.of(BigInt(head.vocabSize)));
  const shape = graph.op("Concat", [graph.op("Shape", [tokenIds]), width], { axis: 0 });
  const z = graph.op("Reshape", [flat, shape]);
  graph.output(z, "logits", "float32", ["batch_size", "sequence_length", head.vocabSize]);
  putOut();
  return { graph, cache };
}
