import { InputError } from "../errors.js";
import type { TensorEntry } from "../tensor/safetensors/safetensors.js";
import type { Config } from "./config.js";

/** The tensors of a checkpoint, looked up by name with the shape that the architecture expects. */
export interface Weights {
  /** File or folder that holds them, for messages. */
  readonly place: string;
  /** Tensors that were asked for so far. */
  readonly used: ReadonlySet<TensorEntry>;
  has(name: string): boolean;
  /** @throws InputError naming the tensor if it is missing or has another shape (`undefined` sizes are free). */
  get(name: string, shape: readonly (number | undefined)[]): TensorEntry;
  /** The same, or undefined where the checkpoint has no such tensor. */
  find(name: string, shape: readonly (number | undefined)[]): TensorEntry | undefined;
}

/** @param prefixes tried in turn in front of every name: checkpoints of one family are saved with and without one */
export function weights(
  place: string,
  tensors: ReadonlyMap<string, TensorEntry>,
  prefixes: readonly string[] = [""],
): Weights {
  const used = new Set<TensorEntry>();
  const find: Weights["find"] = (name, shape) => {
    const tensor = prefixes.map((prefix) => tensors.get(prefix + name)).find((found) => found !== undefined);
    if (tensor === undefined) return undefined;
    if (
      tensor.shape.length !== shape.length ||
      shape.some((size, axis) => size !== undefined && size !== tensor.shape[axis])
    ) {
      const wanted = shape.map((size) => size ?? "any").join(", ");
      throw new InputError(
        tensor.source.name,
        `tensor "${tensor.name}" has shape [${tensor.shape.join(", ")}] where the config says [${wanted}]`,
      );
    }
    used.add(tensor);
    return tensor;
  };
  return {
    place,
    used,
    has: (name) => prefixes.some((prefix) => tensors.has(prefix + name)),
    find,
    get(name, shape) {
      const tensor = find(name, shape);
      if (tensor !== undefined) return tensor;
      const wanted = prefixes.map((prefix) => `"${prefix}${name}"`).join(" or ");
      throw new InputError(place, `tensor ${wanted} is missing`);
    },
  };
}

/**
 * E: the head's own matrix, or the input embedding where `tie_word_embeddings` says so and the checkpoint has no other.
 * As in transformers 5, a head that is stored counts even in a config that says "tied": it differs from the embedding,
 * or else makes no difference. @param tied what the family does when its config does not say
 */
export function outputEmbedding(
  config: Config,
  weights: Weights,
  { name, embedding, tied }: { name: string; embedding: TensorEntry; tied: boolean },
): TensorEntry {
  if (!config.boolean("tie_word_embeddings", tied)) return weights.get(name, embedding.shape);
  return weights.find(name, embedding.shape) ?? embedding;
}

/** One description a layer. A plain loop: a count too large for the checkpoint ends at its first missing tensor. */
export function perLayer<Layer>(count: number, describe: (index: number) => Layer): Layer[] {
  const layers: Layer[] = [];
  for (let index = 0; index < count; index++) layers.push(describe(index));
  return layers;
}
