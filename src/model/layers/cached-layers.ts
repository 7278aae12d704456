import { createGraph, type Graph, type Value } from "../../engine/graph.js";
import type { KeysAndValues, KeyValueCache, ModelDescription } from "../architecture.js";

/** Numbers that one layer keeps of each token: numKvHeads * headDim keys and as many values. */
export interface LayerCache {
  readonly numKvHeads: number;
  readonly headDim: number;
}

/** A graph of a model's layers that go on from keys and values of earlier passes, without outputs yet. */
export interface CachedLayers {
  readonly graph: Graph;
  /** int64 [batch_size, sequence_length] */
  readonly tokenIds: Value;
  /** [batch_size, sequence_length, d] */
  readonly hidden: Value;
  /** One for each layer. */
  readonly cache: readonly LayerCache[];
  /** Whether the same tokens get other positions when the text is longer (some rotary positions). */
  readonly dependsOnLength: boolean;
  /** Lengths of text after which all positions change, so that what was cached no longer fits. */
  readonly rereadAfter: readonly number[];
  /** Adds `present.N.key` and `.value`. */
  putOut(): void;
}

/**
 * Inputs as optimum's ONNX exports name them (https://huggingface.co/docs/optimum-onnx): `input_ids`, `attention_mask`,
 * `position_ids` and `past_key_values.N.key` and `.value`, [batch_size, numKvHeads, past, headDim]; outputs `present.N.key` and
 * `.value`, which are the next pass's past.
 */
export function cachedLayers(name: string, description: ModelDescription): CachedLayers {
  const graph = createGraph(name);
  const tokenIds = graph.input("input_ids", "int64", ["batch_size", "sequence_length"]);
  const attentionMask = graph.input("attention_mask", "int64", ["batch_size", "total_sequence_length"]);
  const positions = graph.input("position_ids", "int64", ["batch_size", "sequence_length"]);
  const layers: KeysAndValues[] = [];
  const rereadAfter = new Set<number>();
  let dependsOnLength = false;
  const cache: KeyValueCache = {
    attentionMask,
    lengthMatters(changesAfter) {
      dependsOnLength = true;
      if (changesAfter !== undefined) rereadAfter.add(changesAfter);
    },
    extend({ keys, values, numKvHeads, headDim }) {
      const layer = layers.length;
      const extended = (part: string, fresh: Value) => {
        const shape = ["batch_size", numKvHeads, "past_sequence_length", headDim];
        const past = graph.input(`past_key_values.${layer}.${part}`, "float32", shape);
        return graph.op("Concat", [past, fresh], { axis: 2 });
      };
      const whole = { keys: extended("key", keys), values: extended("value", values), numKvHeads, headDim };
      layers.push(whole);
      return whole;
    },
  };
  const hidden = description.hiddenStates({ graph, tokenIds, positions, cache });
  return {
    graph,
    tokenIds,
    hidden,
    cache: layers.map(({ numKvHeads, headDim }) => ({ numKvHeads, headDim })),
    dependsOnLength,
    rereadAfter: [...rereadAfter],
    putOut() {
      layers.forEach(({ keys, values, numKvHeads, headDim }, layer) => {
        const dimensions = ["batch_size", numKvHeads, "total_sequence_length", headDim];
        graph.output(keys, `present.${layer}.key`, "float32", dimensions);
        graph.output(values, `present.${layer}.value`, "float32", dimensions);
      });
    },
  };
}
