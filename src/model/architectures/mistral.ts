import type { Architecture } from "../architecture.js";
import { slidingWindow } from "../layers/attention-windows.js";
import { activationOf } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { readRope } from "../layers/rope.js";

/** Mistral (Jiang et al. 2023): Llama without biases, in which every layer sees a sliding window. */
export const mistral: Architecture = {
  description: "Mistral 7B and later dense models: grouped heads, head_dim, one sliding window for all layers or none",
  modelTypes: ["mistral"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    const headDim = headDimOf(config);
    const rope = readRope(config, { headDim });
    // Version 0.1 had a window of 4096; later versions have null.
    const window = slidingWindow(config);
    const layerType = window === undefined ? "full_attention" : "sliding_attention";
    if (config.has("layer_types") && !config.strings("layer_types").every((type) => type === layerType)) {
      config.fail("layer_types", `mixes kinds of attention; only ${layerType} agrees with sliding_window`);
    }
    return llamaLike(config, weights, {
      headDim,
      norms: { beforeAttention: "input_layernorm", beforeMlp: "post_attention_layernorm" },
      epsilon: config.positive("rms_norm_eps", 1e-6),
      biases: { qkv: false, output: false, mlp: false },
      activation: activationOf(config, "hidden_act", "silu"),
      rope: () => rope,
      window: () => window,
      maxPositions: rope.maxPositions,
      tied: false,
    });
  },
};
