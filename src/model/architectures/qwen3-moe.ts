import type { Architecture } from "../architecture.js";
import { slidingWindow } from "../layers/attention-windows.js";
import { expertCounts } from "../layers/experts/routers.js";
import { softmaxExperts, sparseLayers } from "../layers/experts/softmax-experts.js";
import { activationOf } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { readRope } from "../layers/rope.js";

/** Qwen3-MoE (Yang et al. 2025): Qwen3 with experts in most layers. */
export const qwen3Moe: Architecture = {
  description: "Qwen3-MoE: Qwen3 with experts by softmax, mlp_only_layers, decoder_sparse_step; one window or none",
  modelTypes: ["qwen3_moe"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    const headDim = headDimOf(config);
    const rope = readRope(config, { headDim });
    const attentionBias = config.boolean("attention_bias", false);
    const activation = activationOf(config, "hidden_act", "silu");
    const window = config.boolean("use_sliding_window", false) ? slidingWindow(config) : undefined;
    const isSparse = sparseLayers(config);
    const experts = {
      ...expertCounts(config, { count: 128, perToken: 8 }),
      d: config.integer("hidden_size"),
      inner: config.integer("moe_intermediate_size", 768),
      normalized: config.boolean("norm_topk_prob", false),
      activation,
    };
    return llamaLike(config, weights, {
      headDim,
      norms: { beforeAttention: "input_layernorm", beforeMlp: "post_attention_layernorm" },
      epsilon: config.positive("rms_norm_eps", 1e-6),
      queryKeyNorms: "each head",
      biases: { qkv: attentionBias, output: attentionBias, mlp: false },
      activation,
      feedForward: (layer) => (isSparse(layer) ? softmaxExperts(weights, `layers.${layer}.mlp`, experts) : undefined),
      rope: () => rope,
      window: () => window,
      maxPositions: rope.maxPositions,
      tied: false,
    });
  },
};
