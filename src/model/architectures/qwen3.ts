import type { Architecture } from "../architecture.js";
import { qwenWindows } from "../layers/attention-windows.js";
import { activationOf } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { readRope } from "../layers/rope.js";

/** Qwen3 (Yang et al. 2025): Llama with RMS norms on each head of q and k and heads of a size of their own. */
export const qwen3: Architecture = {
  description: "Qwen3 (dense): norms on q and k, head_dim, attention biases; windows and rope as Qwen2",
  modelTypes: ["qwen3"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    const headDim = headDimOf(config, 128);
    const rope = readRope(config, { headDim });
    const attentionBias = config.boolean("attention_bias", false);
    return llamaLike(config, weights, {
      headDim,
      norms: { beforeAttention: "input_layernorm", beforeMlp: "post_attention_layernorm" },
      epsilon: config.positive("rms_norm_eps", 1e-6),
      queryKeyNorms: "each head",
      biases: { qkv: attentionBias, output: attentionBias, mlp: false },
      activation: activationOf(config, "hidden_act", "silu"),
      rope: () => rope,
      window: qwenWindows(config),
      maxPositions: rope.maxPositions,
      tied: false,
    });
  },
};
