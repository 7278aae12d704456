import type { Architecture } from "../architecture.js";
import { layerWindows, windowIfAny } from "../layers/attention-windows.js";
import { activationOf } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { layersWithRope, readRope } from "../layers/rope.js";

/** SmolLM 3 (Bakouch et al. 2025): Llama in which every fourth layer, or those that the config names, has no positions. */
export const smollm3: Architecture = {
  description:
    "SmolLM 3: layers without positions (no_rope_layers, no_rope_layer_interval), windows by layer_types; rope as Llama",
  modelTypes: ["smollm3"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    const headDim = headDimOf(config);
    const rope = readRope(config, { headDim, theta: 2_000_000 });
    const hasRope = layersWithRope(config);
    const slides = config.boolean("use_sliding_window", false) && config.has("sliding_window");
    const window = layerWindows(config, windowIfAny(config), (layer) => slides && !hasRope(layer));
    const attentionBias = config.boolean("attention_bias", false);
    return llamaLike(config, weights, {
      headDim,
      usualKvHeads: 4,
      norms: { beforeAttention: "input_layernorm", beforeMlp: "post_attention_layernorm" },
      epsilon: config.positive("rms_norm_eps", 1e-6),
      biases: { qkv: attentionBias, output: attentionBias, mlp: config.boolean("mlp_bias", false) },
      activation: activationOf(config, "hidden_act", "silu"),
      rope: (layer) => (hasRope(layer) ? rope : undefined),
      window,
      maxPositions: rope.maxPositions,
      tied: true,
    });
  },
};
