import type { Architecture } from "../architecture.js";
import { activationOf } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { readRope } from "../layers/rope.js";

/** Llama (Touvron et al. 2023): RMS norms before attention and gated MLP, rotary positions, grouped k and v heads. */
export const llama: Architecture = {
  description:
    "Llama 1, 2, 3 and models saved as such: grouped heads, attention and MLP biases, head_dim, tied or not; " +
    "rope default, linear, dynamic, llama3, yarn, longrope",
  modelTypes: ["llama"],
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
      rope: () => rope,
      maxPositions: rope.maxPositions,
      tied: false,
    });
  },
};
