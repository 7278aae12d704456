import type { Architecture } from "../architecture.js";
import { qwenWindows } from "../layers/attention-windows.js";
import { activationOf } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { readRope } from "../layers/rope.js";

/** Qwen2 and Qwen2.5 (Yang et al. 2024): Llama with biases on q, k and v and, on request, windows in the upper layers. */
export const qwen2: Architecture = {
  description: "Qwen2, Qwen2.5 (dense): biases on q, k, v; windows by max_window_layers or layer_types; rope as Llama",
  modelTypes: ["qwen2"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    const headDim = headDimOf(config);
    const rope = readRope(config, { headDim });
    return llamaLike(config, weights, {
      headDim,
      norms: { beforeAttention: "input_layernorm", beforeMlp: "post_attention_layernorm" },
      epsilon: config.positive("rms_norm_eps", 1e-6),
      // A bias of the head is found in GGUF files only.
      biases: { qkv: true, output: false, mlp: false, head: config.boolean("lm_head_bias", false) },
      activation: activationOf(config, "hidden_act", "silu"),
      rope: () => rope,
      window: qwenWindows(config),
      maxPositions: rope.maxPositions,
      tied: false,
    });
  },
};
