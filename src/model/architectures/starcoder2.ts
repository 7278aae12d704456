import type { Architecture } from "../architecture.js";
import { windowIfAny } from "../layers/attention-windows.js";
import { activationOf } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { readRope } from "../layers/rope.js";

/** StarCoder 2 (Lozhkov et al. 2024): Llama with LayerNorms, an MLP without a gate, biases and a sliding window. */
export const starcoder2: Architecture = {
  description:
    "StarCoder 2: grouped heads, biases or none (use_bias), one sliding window for all layers or none; rope as Llama",
  modelTypes: ["starcoder2"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    const headDim = headDimOf(config);
    const rope = readRope(config, { headDim });
    const biased = config.boolean("use_bias", true);
    const window = windowIfAny(config);
    return llamaLike(config, weights, {
      headDim,
      usualKvHeads: 2,
      norms: { beforeAttention: "input_layernorm", beforeMlp: "post_attention_layernorm" },
      layerNorms: "with bias",
      epsilon: config.positive("norm_epsilon", 1e-5),
      plainMlp: { up: "c_fc", down: "c_proj" },
      biases: { qkv: biased, output: biased, mlp: biased },
      activation: activationOf(config, "hidden_act", "gelu_pytorch_tanh"),
      rope: () => rope,
      window: () => window,
      maxPositions: rope.maxPositions,
      tied: true,
    });
  },
};
