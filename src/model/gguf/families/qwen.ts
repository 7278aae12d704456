import {
  biasRules,
  decoderConfig,
  decoderRules,
  expertRules,
  type GgufFamily,
  normRules,
  queryKeyRules,
  rmsEpsilon,
} from "../gguf-family.js";

const qwen2: GgufFamily = {
  architecture: "qwen2",
  config: (contents) => ({
    model_type: "qwen2",
    ...decoderConfig(contents),
    rms_norm_eps: rmsEpsilon(contents.metadata),
    use_sliding_window: false,
    lm_head_bias: contents.tensors.has("output.bias"),
  }),
  rules: () => ({ ...decoderRules, ...normRules, ...biasRules, "output.bias": "lm_head.bias" }),
};

const qwen3: GgufFamily = {
  architecture: "qwen3",
  config: (contents) => ({
    model_type: "qwen3",
    ...decoderConfig(contents),
    rms_norm_eps: rmsEpsilon(contents.metadata),
    attention_bias: false,
    use_sliding_window: false,
  }),
  rules: () => ({ ...decoderRules, ...normRules, ...queryKeyRules }),
};

/** Experts in every layer, whose shares llama.cpp always makes add up to 1. */
const qwen3Moe: GgufFamily = {
  architecture: "qwen3moe",
  config(contents) {
    const { metadata } = contents;
    return {
      ...qwen3.config(contents),
      model_type: "qwen3_moe",
      num_experts: metadata.integer(metadata.own("expert_count")),
      num_experts_per_tok: metadata.integer(metadata.own("expert_used_count")),
      moe_intermediate_size: metadata.integer(metadata.own("expert_feed_forward_length")),
      norm_topk_prob: true,
      decoder_sparse_step: 1,
      mlp_only_layers: [],
    };
  },
  rules: () => ({ ...decoderRules, ...normRules, ...queryKeyRules, ...expertRules("model.layers.#.mlp") }),
};

export const qwenFamilies: readonly GgufFamily[] = [qwen2, qwen3, qwen3Moe];
