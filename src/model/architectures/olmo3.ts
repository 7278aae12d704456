import type { Architecture } from "../architecture.js";
import { layerWindows, slidingWindow } from "../layers/attention-windows.js";
import { activationOf } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { ropesByLayerKind } from "../layers/rope.js";

/** OLMo 3 (OLMo team 2025): OLMo 2 with a window in three layers of four, whose rotary positions are not stretched. */
export const olmo3: Architecture = {
  description: "OLMo 3: as OLMo 2, windows by layer_types, rope for each kind of layer",
  modelTypes: ["olmo3"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    const headDim = headDimOf(config);
    const fields = { headDim, theta: 500_000 };
    const { full, sliding } = ropesByLayerKind(config, fields, fields);
    const window = layerWindows(config, slidingWindow(config), (layer) => (layer + 1) % 4 !== 0);
    const attentionBias = config.boolean("attention_bias", false);
    return llamaLike(config, weights, {
      headDim,
      norms: { afterAttention: "post_attention_layernorm", afterMlp: "post_feedforward_layernorm" },
      epsilon: config.positive("rms_norm_eps", 1e-5),
      queryKeyNorms: "all heads",
      biases: { qkv: attentionBias, output: attentionBias, mlp: false },
      activation: activationOf(config, "hidden_act", "silu"),
      rope: (layer) => (window(layer) === undefined ? full : sliding),
      window,
      maxPositions: full.maxPositions,
      tied: false,
    });
  },
};
