import type { EngineCapabilities } from "../../engine/capabilities.js";
import { createGraph, type Graph, type Value } from "../../engine/graph.js";
import type { KeyValueCache, ModelDescription } from "../architecture.js";
import type { CacheTensor } from "./cache-tensors.js";

/** A graph of a model's layers that go on from keys, values and states of earlier passes, without outputs yet. */
export interface CachedLayers {
  readonly graph: Graph;
  /** int64 [batch_size, sequence_length] */
  readonly tokenIds: Value;
  /** [batch_size, sequence_length, d] */
  readonly hidden: Value;
  /** In the order of the layers. */
  readonly cache: readonly CacheTensor[];
  /** Whether the same tokens get other positions when the text is longer (some rotary positions). */
  readonly dependsOnLength: boolean;
  /** Lengths of text after which all positions change, so that what was cached no longer fits. */
  readonly rereadAfter: readonly number[];
  /** Adds the outputs of the cache. */
  putOut(): void;
}

/**
 * Inputs as optimum's ONNX exports name them (https://huggingface.co/docs/optimum-onnx): `input_ids`, `attention_mask`,
 * `position_ids` and, of layers with attention, `past_key_values.N.key` and `.value`, [batch_size, numKvHeads, past, headDim];
 * outputs `present.N.key` and `.value`, which are the next pass's past. States that do not grow are `past_NAME.N` and
 * `present_NAME.N`.
 */
export function cachedLayers(
  name: string,
  description: ModelDescription,
  options: { widensBlocks?: boolean; capabilities?: EngineCapabilities } = {},
): CachedLayers {
  const graph = createGraph(name, options);
  const tokenIds = graph.input("input_ids", "int64", ["batch_size", "sequence_length"]);
  const attentionMask = graph.input("attention_mask", "int64", ["batch_size", "total_sequence_length"]);
  const positions = graph.input("position_ids", "int64", ["batch_size", "sequence_length"]);
  const tensors: (CacheTensor & { readonly value: Value })[] = [];
  const rereadAfter = new Set<number>();
  let dependsOnLength = false;
  let layers = 0;
  const input = (past: string, shape: CacheTensor["shape"]) =>
    graph.input(past, "float32", ["batch_size", ...named(shape, "past_sequence_length")]);
  const cache: KeyValueCache = {
    attentionMask,
    lengthMatters(changesAfter) {
      dependsOnLength = true;
      if (changesAfter !== undefined) rereadAfter.add(changesAfter);
    },
    extend({ keys, values, ...sizes }) {
      const { numKvHeads, headDim, valueDim = headDim } = sizes;
      const layer = layers++;
      const extended = (part: string, fresh: Value, size: number) => {
        const names = { past: `past_key_values.${layer}.${part}`, present: `present.${layer}.${part}` };
        const shape = [numKvHeads, "tokens", size] as const;
        const value = graph.op("Concat", [input(names.past, shape), fresh], { axis: 2 });
        tensors.push({ ...names, shape, value });
        return value;
      };
      return { ...sizes, keys: extended("key", keys, headDim), values: extended("value", values, valueDim) };
    },
    carry(shapes, step) {
      const layer = layers++;
      const names = (state: string) => ({ past: `past_${state}.${layer}`, present: `present_${state}.${layer}` });
      const states = Object.entries<readonly number[]>(shapes);
      const past = states.map(([state, shape]) => [state, input(names(state).past, shape)]);
      const { output, ...next } = step(Object.fromEntries(past));
      for (const [state, shape] of states) tensors.push({ ...names(state), shape, value: next[state as never] });
      return output;
    },
  };
  const hidden = description.hiddenStates({ graph, tokenIds, positions, cache });
  return {
    graph,
    tokenIds,
    hidden,
    cache: tensors,
    dependsOnLength,
    rereadAfter: [...rereadAfter],
    putOut() {
      for (const { value, present, shape } of tensors) {
        graph.output(value, present, "float32", ["batch_size", ...named(shape, "total_sequence_length")]);
      }
    },
  };
}

const named = (shape: CacheTensor["shape"], tokens: string) => shape.map((size) => (size === "tokens" ? tokens : size));
