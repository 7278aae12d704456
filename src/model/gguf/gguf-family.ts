import type { GgufTensor } from "../../tensor/gguf/gguf-file.js";
import { type GgufMetadata, shortest } from "./gguf-metadata.js";
import { eachOf, type TensorRules } from "./tensor-rules.js";

/** A file as a family reads it. */
export interface GgufContents {
  readonly metadata: GgufMetadata;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  /** Numbers by which frequencies of rotary positions are divided, by tensor (`ropeFactorNames`), where the file has them. */
  readonly ropeFactors: Readonly<Partial<Record<RopeFactors, readonly number[]>>>;
}

/** Tensors that belong to what transformers keeps in the config. */
export const ropeFactorNames = ["rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"] as const;
export type RopeFactors = (typeof ropeFactorNames)[number];

/** How llama.cpp stores one family of models. */
export interface GgufFamily {
  /** Value of `general.architecture`. */
  readonly architecture: string;
  /** Fields of the config.json that transformers has for it. */
  config(contents: GgufContents): Record<string, unknown>;
  rules(contents: GgufContents): TensorRules;
  /** llama.cpp loads no file of it that has a head of its own. */
  readonly tiedOnly?: boolean;
}

/** Fields that Llama-like families have in common. */
export function decoderConfig(contents: GgufContents): Record<string, unknown> {
  const { metadata, tensors } = contents;
  const { own } = metadata;
  const heads = metadata.integer(own("attention.head_count"));
  return {
    vocab_size: vocabularyRows(tensors),
    hidden_size: metadata.integer(own("embedding_length")),
    intermediate_size: metadata.integer(own("feed_forward_length")),
    num_hidden_layers: metadata.integer(own("block_count")),
    num_attention_heads: heads,
    num_key_value_heads: metadata.integer(own("attention.head_count_kv"), heads),
    max_position_embeddings: metadata.integer(own("context_length")),
    ...(metadata.has(own("attention.key_length")) ? { head_dim: headDim(metadata) } : {}),
    ...rotatedShare(metadata),
    ...ropeConfig(contents),
    tie_word_embeddings: !tensors.has("output.weight"),
  };
}

function headDim(metadata: GgufMetadata): number {
  const keys = metadata.integer(metadata.own("attention.key_length"));
  const values = metadata.integer(metadata.own("attention.value_length"), keys);
  if (values === keys) return keys;
  return metadata.fail(metadata.own("attention.value_length"), `is ${values} where keys have ${keys} numbers`);
}

/** Numbers of each head. */
export function headSize(metadata: GgufMetadata): number {
  const { own } = metadata;
  if (metadata.has(own("attention.key_length"))) return headDim(metadata);
  return metadata.integer(own("embedding_length")) / metadata.integer(own("attention.head_count"));
}

/** Share of each head that is rotated, where that is not all of it: families that know no share refuse it. */
export function rotatedShare(metadata: GgufMetadata, field = "partial_rotary_factor"): Record<string, number> {
  const key = metadata.own("rope.dimension_count");
  if (!metadata.has(key)) return {};
  const share = metadata.integer(key) / headSize(metadata);
  return share === 1 ? {} : { [field]: share };
}

/** V, by the input embedding. */
export function vocabularyRows(tensors: GgufContents["tensors"]): number {
  // What the family's tensors are checked for says that it is missing.
  return tensors.get("token_embd.weight")?.shape[0] ?? 1;
}

export function rmsEpsilon(metadata: GgufMetadata): number {
  return shortest(metadata.number(metadata.own("attention.layer_norm_rms_epsilon")));
}

export function normEpsilon(metadata: GgufMetadata): number {
  return shortest(metadata.number(metadata.own("attention.layer_norm_epsilon")));
}

/** Rotary positions: the base, and how they are stretched. */
function ropeConfig(contents: GgufContents): Record<string, unknown> {
  const { metadata } = contents;
  const { own } = metadata;
  const scaling = ropeScaling(contents, metadata.string(own("rope.scaling.type"), "none"));
  return {
    rope_theta: shortest(metadata.number(own("rope.freq_base"), 10_000)),
    ...(scaling === undefined ? {} : { rope_scaling: { ...scaling, ...trainedLength(metadata) } }),
    ...trainedLength(metadata),
  };
}

/** Of stretched positions: how long texts were before. Transformers looks for it in both places. */
function trainedLength(metadata: GgufMetadata): Record<string, number> {
  const key = metadata.own("rope.scaling.original_context_length");
  return metadata.has(key) ? { original_max_position_embeddings: metadata.integer(key) } : {};
}

/** What transformers has as `rope_scaling`; undefined if positions are not stretched. */
function ropeScaling({ metadata, ropeFactors }: GgufContents, kind: string): Record<string, unknown> | undefined {
  const { own } = metadata;
  const long = ropeFactors["rope_factors_long.weight"];
  const short = ropeFactors["rope_factors_short.weight"];
  const all = ropeFactors["rope_freqs.weight"];
  const attention = own("rope.scaling.attn_factor");
  const given = metadata.has(attention) ? shortest(metadata.number(attention)) : undefined;
  if (long !== undefined && short !== undefined) {
    const factor = given === undefined ? {} : { attention_factor: given };
    return { rope_type: "longrope", long_factor: long, short_factor: short, ...factor };
  }
  if (given !== undefined && given !== 1) {
    metadata.fail(attention, `is ${given}; with scaling of the type "${kind}" only 1 is supported`);
  }
  switch (kind) {
    case "none":
    case "longrope":
      // What Llama 3's stretching comes to, frequency by frequency.
      return all && { rope_type: "longrope", long_factor: all, short_factor: all, attention_factor: 1 };
    case "linear":
    case "yarn":
      return { rope_type: kind, factor: shortest(metadata.number(own("rope.scaling.factor"), 1)) };
    default:
      return metadata.fail(own("rope.scaling.type"), `is ${JSON.stringify(kind.slice(0, 40))}, which is not supported`);
  }
}

/** Names that Llama-like families have in common. */
export const decoderRules: TensorRules = {
  "token_embd.weight": "model.embed_tokens.weight",
  "output_norm.weight": "model.norm.weight",
  "output.weight": "lm_head.weight",
  "blk.#.attn_q.weight": "model.layers.#.self_attn.q_proj.weight",
  "blk.#.attn_k.weight": "model.layers.#.self_attn.k_proj.weight",
  "blk.#.attn_v.weight": "model.layers.#.self_attn.v_proj.weight",
  "blk.#.attn_output.weight": "model.layers.#.self_attn.o_proj.weight",
  "blk.#.ffn_gate.weight": "model.layers.#.mlp.gate_proj.weight",
  "blk.#.ffn_up.weight": "model.layers.#.mlp.up_proj.weight",
  "blk.#.ffn_down.weight": "model.layers.#.mlp.down_proj.weight",
};

/** Weight and bias under another name. */
export function both(stored: string, name: string): TensorRules {
  return { [`${stored}.weight`]: `${name}.weight`, [`${stored}.bias`]: `${name}.bias` };
}

/** Norms of q and k. */
export const queryKeyRules: TensorRules = {
  "blk.#.attn_q_norm.weight": "model.layers.#.self_attn.q_norm.weight",
  "blk.#.attn_k_norm.weight": "model.layers.#.self_attn.k_norm.weight",
};

/** Experts, each with a matrix of its own. @param prefix of a layer's experts and router  @param names of gate, up and down */
export function expertRules(
  prefix: string,
  [gate, up, down]: readonly [gate: string, up: string, down: string] = ["gate_proj", "up_proj", "down_proj"],
): TensorRules {
  return {
    "blk.#.ffn_gate_inp.weight": `${prefix}.gate.weight`,
    "blk.#.ffn_gate_exps.weight": eachOf(`${prefix}.experts.@.${gate}.weight`),
    "blk.#.ffn_up_exps.weight": eachOf(`${prefix}.experts.@.${up}.weight`),
    "blk.#.ffn_down_exps.weight": eachOf(`${prefix}.experts.@.${down}.weight`),
  };
}

/** Norms before attention and MLP, as Llama names them. */
export const normRules: TensorRules = {
  "blk.#.attn_norm.weight": "model.layers.#.input_layernorm.weight",
  "blk.#.ffn_norm.weight": "model.layers.#.post_attention_layernorm.weight",
};

/** Biases of q, k and v. */
export const biasRules: TensorRules = {
  "blk.#.attn_q.bias": "model.layers.#.self_attn.q_proj.bias",
  "blk.#.attn_k.bias": "model.layers.#.self_attn.k_proj.bias",
  "blk.#.attn_v.bias": "model.layers.#.self_attn.v_proj.bias",
};
