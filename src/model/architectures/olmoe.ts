import type { Architecture } from "../architecture.js";
import { expertCounts } from "../layers/experts/routers.js";
import { softmaxExperts } from "../layers/experts/softmax-experts.js";
import { activationOf } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { readRope } from "../layers/rope.js";

/** OLMoE (Muennighoff et al. 2024, arXiv 2409.02060): experts in every layer, norms on all of q and of k. */
export const olmoe: Architecture = {
  description: "OLMoE: experts by softmax, norms on the whole of q and k, clip_qkv, attention biases; rope as Llama",
  modelTypes: ["olmoe"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    const headDim = headDimOf(config);
    const rope = readRope(config, { headDim });
    const attentionBias = config.boolean("attention_bias", false);
    const activation = activationOf(config, "hidden_act", "silu");
    const experts = {
      ...expertCounts(config, { count: 64, perToken: 8 }),
      d: config.integer("hidden_size"),
      inner: config.integer("intermediate_size"),
      normalized: config.boolean("norm_topk_prob", false),
      activation,
    };
    return llamaLike(config, weights, {
      headDim,
      norms: { beforeAttention: "input_layernorm", beforeMlp: "post_attention_layernorm" },
      epsilon: config.positive("rms_norm_eps", 1e-5),
      queryKeyNorms: "all heads",
      clip: config.has("clip_qkv") ? config.positive("clip_qkv") : undefined,
      biases: { qkv: attentionBias, output: attentionBias, mlp: false },
      activation,
      feedForward: (layer) => softmaxExperts(weights, `layers.${layer}.mlp`, experts),
      rope: () => rope,
      maxPositions: rope.maxPositions,
      tied: false,
    });
  },
};
