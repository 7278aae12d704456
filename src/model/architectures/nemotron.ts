import type { Architecture } from "../architecture.js";
import { activationOf } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { readRope } from "../layers/rope.js";

/**
 * Nemotron-4 and Minitron (NVIDIA 2024): Llama with LayerNorms that store their weight less one, an MLP of squared ReLUs
 * without a gate and rotary positions on a part of each head.
 */
export const nemotron: Architecture = {
  description:
    "Nemotron-4, Minitron: squared ReLU, partial_rotary_factor, head_dim, attention and MLP biases; rope as Llama",
  modelTypes: ["nemotron"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    const headDim = headDimOf(config);
    const rope = readRope(config, { headDim, share: 0.5 });
    const attentionBias = config.boolean("attention_bias", false);
    return llamaLike(config, weights, {
      headDim,
      norms: { beforeAttention: "input_layernorm", beforeMlp: "post_attention_layernorm" },
      layerNorms: "with bias",
      epsilon: config.positive("norm_eps", 1e-5),
      weightOffset: 1,
      plainMlp: { up: "up_proj", down: "down_proj" },
      biases: { qkv: attentionBias, output: attentionBias, mlp: config.boolean("mlp_bias", false) },
      activation: activationOf(config, "hidden_act", "relu2"),
      rope: () => rope,
      maxPositions: rope.maxPositions,
      tied: false,
    });
  },
};
