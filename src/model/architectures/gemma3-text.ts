import type { Architecture } from "../architecture.js";
import { layerWindows, slidingWindow } from "../layers/attention-windows.js";
import { activationOf } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { ropesByLayerKind } from "../layers/rope.js";

/**
 * Gemma 3's language model (Gemma Team 2025): Gemma 2 with norms on q and k in place of the soft caps, and five layers
 * with a window and rotary positions of their own for each layer that sees everything.
 */
export const gemma3Text: Architecture = {
  description: "Gemma 3, text only: norms on q and k, windows by pattern or layer_types, rope for each kind of layer",
  modelTypes: ["gemma3_text"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    config.mustBe("use_bidirectional_attention", false);
    if (config.has("attn_logit_softcapping")) config.fail("attn_logit_softcapping", "is set; Gemma 3 has no such cap");
    const headDim = headDimOf(config, 256);
    const { full, sliding } = ropesByLayerKind(
      config,
      { headDim, theta: 1_000_000 },
      { headDim, theta: 10_000, thetaField: "rope_local_base_freq" },
    );
    const pattern = config.integer("sliding_window_pattern", config.integer("_sliding_window_pattern", 6));
    const window = layerWindows(config, slidingWindow(config), (layer) => (layer + 1) % pattern !== 0);
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
      queryKeyNorms: "each head",
      biases: { qkv: attentionBias, output: attentionBias, mlp: false },
      activation: activationOf(config, "hidden_activation", "gelu_pytorch_tanh"),
      // Rounded only where a model computes in bfloat16; these graphs compute in float32.
      embeddingScale: Math.sqrt(config.integer("hidden_size")),
      attentionScale: config.positive("query_pre_attn_scalar", 256) ** -0.5,
      rope: (layer) => (window(layer) === undefined ? full : sliding),
      window,
      maxPositions: config.integer("max_position_embeddings"),
      tied: true,
      headTransform: config.has("final_logit_softcapping")
        ? { softCap: config.positive("final_logit_softcapping") }
        : {},
    });
  },
};
