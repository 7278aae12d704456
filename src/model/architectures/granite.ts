import type { Architecture } from "../architecture.js";
import { activationOf } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { readRope } from "../layers/rope.js";

/** Granite 3 (IBM 2024): Llama with four factors, on the embeddings, the scores, the residual branches and the logits. */
export const granite: Architecture = {
  description: "Granite 3 (dense): factors on embeddings, attention, residual branches and logits; otherwise as Llama",
  modelTypes: ["granite"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    const headDim = headDimOf(config);
    const rope = readRope(config, { headDim });
    const attentionBias = config.boolean("attention_bias", false);
    return llamaLike(config, weights, {
      headDim,
      norms: { beforeAttention: "input_layernorm", beforeMlp: "post_attention_layernorm" },
      epsilon: config.positive("rms_norm_eps", 1e-6),
      biases: { qkv: attentionBias, output: attentionBias, mlp: config.boolean("mlp_bias", false) },
      activation: activationOf(config, "hidden_act", "silu"),
      embeddingScale: config.positive("embedding_multiplier", 1),
      attentionScale: config.positive("attention_multiplier", 1),
      residualScale: config.positive("residual_multiplier", 1),
      rope: () => rope,
      maxPositions: rope.maxPositions,
      tied: false,
      headTransform: { scale: 1 / config.positive("logits_scaling", 1) },
    });
  },
};
