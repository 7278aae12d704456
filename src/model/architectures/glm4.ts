import type { Architecture } from "../architecture.js";
import { activationOf } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { readRope } from "../layers/rope.js";

/**
 * GLM-4-0414 (Zhipu AI 2025): Llama with norms before and after both parts of a block, gate and up in one matrix and rotary
 * positions on neighbouring numbers of a part of each head.
 */
export const glm4: Architecture = {
  description:
    "GLM-4-0414, GLM-Z1 (dense): four norms a block, fused gate/up, partial_rotary_factor, head_dim, biases on q, k, v; rope as Llama",
  modelTypes: ["glm4"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    const headDim = headDimOf(config, 128);
    const rope = readRope(config, { headDim, share: 0.5 });
    return llamaLike(config, weights, {
      headDim,
      usualKvHeads: 2,
      norms: {
        beforeAttention: "input_layernorm",
        afterAttention: "post_self_attn_layernorm",
        beforeMlp: "post_attention_layernorm",
        afterMlp: "post_mlp_layernorm",
      },
      epsilon: config.positive("rms_norm_eps", 1.5625e-7),
      fused: "gate and up",
      biases: { qkv: config.boolean("attention_bias", true), output: false, mlp: false },
      activation: activationOf(config, "hidden_act", "silu"),
      rope: () => rope,
      rotatedPairs: "neighbours",
      maxPositions: rope.maxPositions,
      tied: false,
    });
  },
};
