import type { Architecture } from "../architecture.js";
import { activationOf } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { readRope } from "../layers/rope.js";

/** OLMo 2 (OLMo team 2024): Llama with norms after attention and MLP instead of before, and on all of q and of k. */
export const olmo2: Architecture = {
  description: "OLMo 2: norms after each part, norms on the whole of q and k, attention biases; rope as Llama",
  modelTypes: ["olmo2"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    const headDim = headDimOf(config);
    const rope = readRope(config, { headDim });
    const attentionBias = config.boolean("attention_bias", false);
    return llamaLike(config, weights, {
      headDim,
      norms: { afterAttention: "post_attention_layernorm", afterMlp: "post_feedforward_layernorm" },
      epsilon: config.positive("rms_norm_eps", 1e-5),
      queryKeyNorms: "all heads",
      biases: { qkv: attentionBias, output: attentionBias, mlp: false },
      activation: activationOf(config, "hidden_act", "silu"),
      rope: () => rope,
      maxPositions: rope.maxPositions,
      tied: false,
    });
  },
};
