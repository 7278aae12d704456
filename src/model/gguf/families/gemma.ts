import {
  decoderConfig,
  decoderRules,
  type GgufContents,
  type GgufFamily,
  headSize,
  normRules,
  queryKeyRules,
  rmsEpsilon,
} from "../gguf-family.js";
import { shortest } from "../gguf-metadata.js";
import { lessOne, type TensorRules } from "../tensor-rules.js";

const gemma: GgufFamily = {
  architecture: "gemma",
  config: (contents) => ({ model_type: "gemma", ...gemmaConfig(contents), hidden_act: "gelu_pytorch_tanh" }),
  rules: () => withNormsLessOne({ ...decoderRules, ...normRules }),
  tiedOnly: true,
};

/** Layers of the largest models, whose scores are divided by another number than a head's size. */
const largest = { gemma2: 46, gemma3: 62 } as const;

const gemma2: GgufFamily = {
  architecture: "gemma2",
  config(contents) {
    const { metadata } = contents;
    return {
      model_type: "gemma2",
      ...gemmaConfig(contents),
      hidden_activation: "gelu_pytorch_tanh",
      query_pre_attn_scalar: attentionScalar(contents, largest.gemma2),
      attn_logit_softcapping: shortest(metadata.number(metadata.own("attn_logit_softcapping"), 50)),
      final_logit_softcapping: shortest(metadata.number(metadata.own("final_logit_softcapping"), 30)),
      sliding_window: metadata.integer(metadata.own("attention.sliding_window")),
    };
  },
  rules: () => withNormsLessOne(sandwichRules),
  tiedOnly: true,
};

const gemma3: GgufFamily = {
  architecture: "gemma3",
  config(contents) {
    const { metadata } = contents;
    const cap = metadata.own("final_logit_softcapping");
    return {
      model_type: "gemma3_text",
      ...gemmaConfig(contents),
      rope_theta: shortest(metadata.number(metadata.own("rope.freq_base"), 1_000_000)),
      rope_local_base_freq: shortest(metadata.number(metadata.own("rope.freq_base_swa"), 10_000)),
      hidden_activation: "gelu_pytorch_tanh",
      query_pre_attn_scalar: attentionScalar(contents, largest.gemma3),
      sliding_window: metadata.integer(metadata.own("attention.sliding_window")),
      sliding_window_pattern: metadata.integer(metadata.own("attention.sliding_window_pattern"), 6),
      ...(metadata.has(cap) ? { final_logit_softcapping: shortest(metadata.number(cap)) } : {}),
    };
  },
  rules: () => withNormsLessOne({ ...sandwichRules, ...queryKeyRules }),
};

function gemmaConfig(contents: GgufContents): Record<string, unknown> {
  return { ...decoderConfig(contents), rms_norm_eps: rmsEpsilon(contents.metadata), attention_bias: false };
}

function attentionScalar({ metadata }: GgufContents, layersOfLargest: number): number {
  const { own } = metadata;
  if (metadata.integer(own("block_count")) !== layersOfLargest) return headSize(metadata);
  return metadata.integer(own("embedding_length")) / metadata.integer(own("attention.head_count"));
}

/** Norms before and after both parts of a block. */
const sandwichRules: TensorRules = {
  ...decoderRules,
  "blk.#.attn_norm.weight": "model.layers.#.input_layernorm.weight",
  "blk.#.post_attention_norm.weight": "model.layers.#.post_attention_layernorm.weight",
  "blk.#.ffn_norm.weight": "model.layers.#.pre_feedforward_layernorm.weight",
  "blk.#.post_ffw_norm.weight": "model.layers.#.post_feedforward_layernorm.weight",
};

function withNormsLessOne(rules: TensorRules): TensorRules {
  return Object.fromEntries(
    Object.entries(rules).map(([stored, name]) => [
      stored,
      stored.endsWith("norm.weight") && typeof name === "string" ? ([name, lessOne] as const) : name,
    ]),
  );
}

export const gemmaFamilies: readonly GgufFamily[] = [gemma, gemma2, gemma3];
