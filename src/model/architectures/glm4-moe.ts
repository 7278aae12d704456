import type { Architecture } from "../architecture.js";
import { groupedExperts } from "../layers/experts/grouped-experts.js";
import { activationOf } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { readRope } from "../layers/rope.js";

/** GLM-4.5 (Zeng et al. 2025, arXiv 2508.06471): experts as DeepSeek-V3's behind attention as Llama's. */
export const glm4Moe: Architecture = {
  description:
    "GLM-4.5, GLM-4.6: experts by corrected sigmoids in groups and shared ones, use_qk_norm, biases on q, k, v, " +
    "partial_rotary_factor; layers for multi-token prediction are not used",
  modelTypes: ["glm4_moe"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    const headDim = headDimOf(config);
    const rope = readRope(config, { headDim, share: 0.5 });
    return llamaLike(config, weights, {
      headDim,
      norms: { beforeAttention: "input_layernorm", beforeMlp: "post_attention_layernorm" },
      epsilon: config.positive("rms_norm_eps", 1e-5),
      ...(config.boolean("use_qk_norm", false) ? { queryKeyNorms: "each head" as const } : {}),
      biases: { qkv: config.boolean("attention_bias", false), output: false, mlp: false },
      activation: activationOf(config, "hidden_act", "silu"),
      feedForward: groupedExperts(config, weights, {
        count: 128,
        perToken: 8,
        groups: 1,
        groupsPerToken: 1,
        scale: 1,
        denseLayers: 1,
      }),
      rope: () => rope,
      maxPositions: rope.maxPositions,
      tied: false,
    });
  },
};
