import { createGraph, type Graph, type Value } from "../engine/graph.js";
import type { KeysAndValues, KeyValueCache } from "../model/architecture.js";
import { type Head, logits } from "../model/head.js";
import type { Model } from "../model/model.js";
import type { ReducedHead } from "../reduction/orders.js";
import { reducedLogits } from "./reduced-logits.js";

/** A graph whose inputs and outputs are named as optimum's ONNX exports name them, and transformers.js expects. */
export interface CausalLmGraph {
  readonly graph: Graph;
  /** Of each layer's cache. */
  readonly cache: readonly { readonly kvHeads: number; readonly size: number }[];
}

/**
 * A whole model with key-value cache as one graph (https://huggingface.co/docs/optimum-onnx): `input_ids`,
 * `attention_mask`, `position_ids` and `past_key_values.N.key` and `.value` to `logits`, `present.N.key` and `.value`.
 * @param head in place of the model's own
 */
export function causalLmGraph({ description }: Model, head: Head, reduced?: ReducedHead): CausalLmGraph {
  const graph = createGraph("causal_lm");
  const tokenIds = graph.input("input_ids", "int64", ["batch_size", "sequence_length"]);
  const attentionMask = graph.input("attention_mask", "int64", ["batch_size", "total_sequence_length"]);
  const positions = graph.input("position_ids", "int64", ["batch_size", "sequence_length"]);
  const { cache, layers } = namedCache(graph, attentionMask);
  const hidden = description.hiddenStates({ graph, tokenIds, positions, cache });
  const rows = graph.op("Reshape", [hidden, graph.constant(BigInt64Array.of(-1n, BigInt(head.hiddenSize)))]);
  const flat = reduced === undefined ? logits(graph, head, rows) : reducedLogits(graph, head, reduced, rows);
  const width = graph.constant(BigInt64Array.of(BigInt(head.vocabSize)));
  const shape = graph.op("Concat", [graph.op("Shape", [tokenIds]), width], { axis: 0 });
  const z = graph.op("Reshape", [flat, shape]);
  graph.output(z, "logits", "float32", ["batch_size", "sequence_length", head.vocabSize]);
  layers.forEach(({ keys, values, kvHeads, size }, layer) => {
    const dimensions = ["batch_size", kvHeads, "total_sequence_length", size];
    graph.output(keys, `present.${layer}.key`, "float32", dimensions);
    graph.output(values, `present.${layer}.value`, "float32", dimensions);
  });
  return { graph, cache: layers.map(({ kvHeads, size }) => ({ kvHeads, size })) };
}

/** A cache that is the graph's own inputs, and what becomes of it layer by layer. */
function namedCache(graph: Graph, attentionMask: Value): { cache: KeyValueCache; layers: KeysAndValues[] } {
  const layers: KeysAndValues[] = [];
  const cache: KeyValueCache = {
    attentionMask,
    extend({ keys, values, kvHeads, size }) {
      const layer = layers.length;
      const extended = (name: string, fresh: Value) => {
        const shape = ["batch_size", kvHeads, "past_sequence_length", size];
        const past = graph.input(`past_key_values.${layer}.${name}`, "float32", shape);
        return graph.op("Concat", [past, fresh], { axis: 2 });
      };
      const whole = { keys: extended("key", keys), values: extended("value", values), kvHeads, size };
      layers.push(whole);
      return whole;
    },
  };
  return { cache, layers };
}
