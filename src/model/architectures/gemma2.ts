import type { Architecture } from "../architecture.js";
import type { Config } from "../config.js";
import { layerWindows, slidingWindow } from "../layers/attention-windows.js";
import { activationOf } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { readRope } from "../layers/rope.js";

/**
 * Gemma 2 (Gemma Team 2024): embeddings times sqrt(d), norms before and after both parts of a block that store their
 * weight less one, soft caps on attention scores and logits, a window in every other layer.
 */
export const gemma2: Architecture = {
  description: "Gemma 2: soft caps on attention and logits, alternating windows, query_pre_attn_scalar",
  modelTypes: ["gemma2"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    config.mustBe("use_bidirectional_attention", false);
    const headDim = headDimOf(config, 256);
    const rope = readRope(config, { headDim });
    const attentionBias = config.boolean("attention_bias", false);
    return llamaLike(config, weights, {
      headDim,
      norms: {
        beforeAttention: "input_layernorm",
        afterAttention: "post_attention_layernorm",
        beforeMlp: "pre_feedforward_layernorm",
        afterMlp: "post_feedforward_layernorm",
      },
      epsilon: config.positive("rms_norm_eps", 1e-6),
      weightOffset: 1,
      biases: { qkv: attentionBias, output: attentionBias, mlp: false },
      activation: activationOf(config, "hidden_activation", "gelu_pytorch_tanh"),
      // Rounded only where a model computes in bfloat16; these graphs compute in float32.
      embeddingScale: Math.sqrt(config.integer("hidden_size")),
      attentionScale: config.positive("query_pre_attn_scalar", 256) ** -0.5,
      attentionSoftCap: softCap(config, "attn_logit_softcapping", 50),
      rope: () => rope,
      window: layerWindows(config, slidingWindow(config), (layer) => layer % 2 === 0),
      maxPositions: rope.maxPositions,
      tied: true,
      headTransform: { softCap: softCap(config, "final_logit_softcapping", 30) },
    });
  },
};

/** A soft cap; undefined if the config says null. */
function softCap(config: Config, field: string, fallback: number): number | undefined {
  return config.isNull(field) ? undefined : config.positive(field, fallback);
}
