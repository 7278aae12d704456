import type { Architecture } from "../architecture.js";
import { activationOf } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { readRope } from "../layers/rope.js";

/** OLMo 1 (Groeneveld et al. 2024): Llama with LayerNorms that have no parameters, q, k and v held to clip_qkv. */
export const olmo: Architecture = {
  description: "OLMo 1: norms without parameters, clip_qkv, attention biases, grouped heads; rope as Llama",
  modelTypes: ["olmo"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    const headDim = headDimOf(config);
    const rope = readRope(config, { headDim });
    const attentionBias = config.boolean("attention_bias", false);
    return llamaLike(config, weights, {
      headDim,
      norms: { beforeAttention: "input_layernorm", beforeMlp: "post_attention_layernorm" },
      layerNorms: "bare",
      epsilon: 1e-5,
      biases: { qkv: attentionBias, output: attentionBias, mlp: false },
      activation: activationOf(config, "hidden_act", "silu"),
      clip: config.has("clip_qkv") ? config.positive("clip_qkv") : undefined,
      rope: () => rope,
      maxPositions: rope.maxPositions,
      tied: false,
    });
  },
};
