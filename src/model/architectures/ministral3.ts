import type { Architecture } from "../architecture.js";
import { config as configOf } from "../config.js";
import { windowIfAny } from "../layers/attention-windows.js";
import { activationOf } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { growingQueries } from "../layers/query-scale.js";
import { ropeOf, ropeParameters } from "../layers/rope.js";

/** What the family has where its config has no parameters of rotary positions. */
const usualRope = {
  rope_type: "yarn",
  rope_theta: 1_000_000,
  factor: 16,
  original_max_position_embeddings: 16_384,
  mscale: 1,
  mscale_all_dim: 1,
  llama_4_scaling_beta: 0.1,
};

/** Ministral 3 (Mistral AI 2025): Llama with YaRN, in which q grows with the logarithm of its position. */
export const ministral3: Architecture = {
  description:
    "Ministral 3 (dense): head_dim, q scaled by position (llama_4_scaling_beta), one sliding window or none; rope as Llama",
  modelTypes: ["ministral3"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    const headDim = headDimOf(config, 128);
    const parameters = ropeParameters(config) ?? configOf(config.place, usualRope);
    const rope = ropeOf(config, parameters, {
      headDim,
      otherFields: ["llama_4_scaling_beta", "max_position_embeddings"],
    });
    const beta = parameters.number("llama_4_scaling_beta");
    const trained = parameters.integer("original_max_position_embeddings", config.integer("max_position_embeddings"));
    const window = windowIfAny(config);
    return llamaLike(config, weights, {
      headDim,
      usualKvHeads: 8,
      norms: { beforeAttention: "input_layernorm", beforeMlp: "post_attention_layernorm" },
      epsilon: config.positive("rms_norm_eps", 1e-5),
      biases: { qkv: false, output: false, mlp: false },
      activation: activationOf(config, "hidden_act", "silu"),
      rope: () => rope,
      queryScale: (pass) => growingQueries(pass, { beta, every: trained }),
      window: () => window,
      maxPositions: rope.maxPositions,
      tied: false,
    });
  },
};
