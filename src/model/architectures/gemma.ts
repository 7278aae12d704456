import type { Architecture } from "../architecture.js";
import { activationOf } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { readRope } from "../layers/rope.js";

/** Gemma (Gemma Team 2024): Llama with embeddings times sqrt(d), norms that store their weight less one and tanh GELU. */
export const gemma: Architecture = {
  description: "Gemma 1, CodeGemma: scaled embeddings, head_dim, grouped heads",
  modelTypes: ["gemma"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    config.mustBe("use_bidirectional_attention", false);
    const headDim = headDimOf(config, 256);
    const rope = readRope(config, { headDim });
    const attentionBias = config.boolean("attention_bias", false);
    const activation = activationOf(config, "hidden_act", "gelu_pytorch_tanh");
    return llamaLike(config, weights, {
      headDim,
      norms: { beforeAttention: "input_layernorm", beforeMlp: "post_attention_layernorm" },
      epsilon: config.positive("rms_norm_eps", 1e-6),
      weightOffset: 1,
      biases: { qkv: attentionBias, output: attentionBias, mlp: false },
      // The first releases say "gelu" and mean its tanh form, as transformers reads them too.
      activation: activation === "gelu" ? "gelu_pytorch_tanh" : activation,
      // Rounded only where a model computes in bfloat16; these graphs compute in float32.
      embeddingScale: Math.sqrt(config.integer("hidden_size")),
      rope: () => rope,
      maxPositions: rope.maxPositions,
      tied: true,
    });
  },
};
