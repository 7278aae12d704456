import type { Architecture } from "../architecture.js";
import { activationOf } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { readRope } from "../layers/rope.js";

/** Seed-OSS (ByteDance 2025): Llama with biases on q, k and v and heads of a size of their own. */
export const seedOss: Architecture = {
  description: "Seed-OSS: head_dim, attention_bias, attention_out_bias, mlp_bias; rope as Llama",
  modelTypes: ["seed_oss"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    const headDim = headDimOf(config, config.isNull("head_dim") ? undefined : 128);
    const rope = readRope(config, { headDim });
    return llamaLike(config, weights, {
      headDim,
      usualKvHeads: 8,
      norms: { beforeAttention: "input_layernorm", beforeMlp: "post_attention_layernorm" },
      epsilon: config.positive("rms_norm_eps", 1e-6),
      biases: {
        qkv: config.boolean("attention_bias", true),
        output: config.boolean("attention_out_bias", false),
        mlp: config.boolean("mlp_bias", false),
      },
      activation: activationOf(config, "hidden_act", "silu"),
      rope: () => rope,
      maxPositions: rope.maxPositions,
      tied: false,
    });
  },
};
