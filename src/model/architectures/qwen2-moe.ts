import type { Architecture } from "../architecture.js";
import { layerWindows, slidingWindow } from "../layers/attention-windows.js";
import { expertCounts } from "../layers/experts/routers.js";
import { softmaxExperts, sparseLayers } from "../layers/experts/softmax-experts.js";
import { activationOf } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { readRope } from "../layers/rope.js";

/** Qwen1.5-MoE and Qwen2-MoE (Yang et al. 2024): Qwen2 with experts, one of which every token goes to, in most layers. */
export const qwen2Moe: Architecture = {
  description:
    "Qwen1.5-MoE, Qwen2-MoE: experts by softmax and a shared one, mlp_only_layers, decoder_sparse_step; windows in every " +
    "other layer or by layer_types",
  modelTypes: ["qwen2_moe"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    const headDim = headDimOf(config);
    const rope = readRope(config, { headDim });
    const activation = activationOf(config, "hidden_act", "silu");
    const window = config.boolean("use_sliding_window", false) ? slidingWindow(config) : undefined;
    const slidingLayers = config.number("max_window_layers", 28);
    const isSparse = sparseLayers(config);
    const experts = {
      ...expertCounts(config, { count: 60, perToken: 4 }),
      d: config.integer("hidden_size"),
      inner: config.integer("moe_intermediate_size", 1408),
      sharedInner: config.integer("shared_expert_intermediate_size", 5632),
      normalized: config.boolean("norm_topk_prob", false),
      activation,
    };
    return llamaLike(config, weights, {
      headDim,
      norms: { beforeAttention: "input_layernorm", beforeMlp: "post_attention_layernorm" },
      epsilon: config.positive("rms_norm_eps", 1e-6),
      biases: { qkv: config.boolean("qkv_bias", true), output: false, mlp: false },
      activation,
      feedForward: (layer) => (isSparse(layer) ? softmaxExperts(weights, `layers.${layer}.mlp`, experts) : undefined),
      rope: () => rope,
      window: layerWindows(config, window, (layer) => window !== undefined && layer % 2 === 0 && layer < slidingLayers),
      maxPositions: rope.maxPositions,
      tied: false,
    });
  },
};
