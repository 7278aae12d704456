import type { Architecture } from "../architecture.js";
import { windowIfAny } from "../layers/attention-windows.js";
import { activationOf } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { readRope } from "../layers/rope.js";

/** Phi-3 (Abdin et al. 2024): Llama with q, k, v in one matrix, gate and up in another, and LongRoPE. */
export const phi3: Architecture = {
  description:
    "Phi-3, Phi-3.5, Phi-4 (dense): fused q/k/v and gate/up, longrope, partial_rotary_factor, sliding window",
  modelTypes: ["phi3"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    config.mustBe("attention_bias", false);
    const headDim = headDimOf(config);
    const rope = readRope(config, { headDim, share: 1, aliases: { su: "longrope", yarn: "longrope" } });
    const window = windowIfAny(config);
    return llamaLike(config, weights, {
      headDim,
      norms: { beforeAttention: "input_layernorm", beforeMlp: "post_attention_layernorm" },
      epsilon: config.positive("rms_norm_eps", 1e-5),
      fused: "q, k, v and gate and up",
      biases: { qkv: false, output: false, mlp: false },
      activation: activationOf(config, "hidden_act", "silu"),
      rope: () => rope,
      window: () => window,
      maxPositions: rope.maxPositions,
      tied: false,
    });
  },
};
