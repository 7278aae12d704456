import { InputError } from "../errors.js";
import type { TensorEntry } from "../tensor/safetensors/safetensors.js";
import { quote } from "../tensor/strict-json.js";
import type { Config } from "./config.js";

/** The tensors of a checkpoint, looked up by name with the shape that the architecture expects. */
export interface Weights {
  /** File or folder that holds them, for messages. */
  readonly place: string;
  /** Tensors that were asked for so far. */
  readonly used: ReadonlySet<TensorEntry>;
  has(name: string): boolean;
  /** What a tensor of that name is called in this checkpoint, or would be. */
  nameFor(name: string): string;
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
    const prefix = prefixes.find((one) => tensors.has(one + name));
    if (prefix === undefined) return undefined;
    const tensor = tensors.get(prefix + name)!;
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
    nameFor(name) {
      const found = prefixes.find((prefix) =>
        [...tensors.keys()].some((key) => prefix !== "" && key.startsWith(prefix)),
      );
      return (prefixes.find((prefix) => tensors.has(prefix + name)) ?? found ?? "") + name;
    },
    get(name, shape) {
      const tensor = find(name, shape);
      if (tensor !== undefined) return tensor;
      const wanted = prefixes.map((prefix) => `"${prefix}${name}"`).join(" or ");
      throw new InputError(place, `tensor ${wanted} is missing`);
    },
  };
}

/** How a family names its two embeddings, and what it does when its config does not say whether they are one. */
export interface EmbeddingNames {
  /** Of the input embedding. */
  readonly input: string;
  /** Of an output embedding of its own. */
  readonly output: string;
  readonly tied: boolean;
}

/**
 * The input embedding and E, [V, d] each. E is the head's own matrix, or the input embedding where `tie_word_embeddings` says so
 * and the checkpoint has no other. As in transformers 5, a head that is stored counts even in a config that says "tied": it
 * differs from the embedding, or else makes no difference. Of a tied pair either may be the one that is stored.
 * @throws InputError naming `tie_word_embeddings` where an untied model has only one of them
 */
export function embeddings(
  config: Config,
  weights: Weights,
  { input, output, tied }: EmbeddingNames,
  shape: readonly [V: number, d: number],
): { embedding: TensorEntry; head: TensorEntry } {
  const isTied = config.boolean("tie_word_embeddings", tied);
  const ofInput = weights.find(input, shape);
  const ofOutput = weights.find(output, shape);
  if (ofInput !== undefined && (isTied || ofOutput !== undefined)) {
    return { embedding: ofInput, head: ofOutput ?? ofInput };
  }
  if (ofOutput !== undefined && isTied) {
    return { embedding: { ...ofOutput, name: weights.nameFor(input) }, head: ofOutput };
  }
  if (ofInput === undefined && ofOutput === undefined)
    return { embedding: weights.get(input, shape), head: weights.get(output, shape) };
  const [missing, stored] = ofInput === undefined ? [input, output] : [output, input];
  const says = config.has("tie_word_embeddings") ? "is false" : "is not there, which means false";
  throw new InputError(
    weights.place,
    `tensor ${quote(missing)} is missing, and "tie_word_embeddings" in config.json ${says}: ` +
      `set it to true if the model uses ${quote(stored)} for both, or complete the checkpoint`,
  );
}

/** One description a layer. A plain loop: a count too large for the checkpoint ends at its first missing tensor. */
export function perLayer<Layer>(count: number, describe: (index: number) => Layer): Layer[] {
  const layers: Layer[] = [];
  for (let index = 0; index < count; index++) layers.push(describe(index));
  return layers;
}
