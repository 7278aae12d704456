import type { Architecture } from "../architecture.js";
import type { Config } from "../config.js";
import { type AttentionWindows, layerWindows, slidingWindow } from "../layers/attention-windows.js";
import { activationOf } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { readRope } from "../layers/rope.js";

/**
 * EXAONE 4 (LG AI Research 2025): Llama with norms after attention and MLP instead of before, and on each head of q and k.
 * Where it has windows, the layers without one have no positions.
 */
export const exaone4: Architecture = {
  description:
    "EXAONE 4: norms after each part and on q and k, windows by pattern or layer_types; rope as Llama in layers with a window",
  modelTypes: ["exaone4"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    const headDim = headDimOf(config);
    const rope = readRope(config, { headDim });
    const everywhere = slidingWindow(config) === undefined;
    const window = windows(config);
    return llamaLike(config, weights, {
      headDim,
      usualKvHeads: 32,
      norms: { afterAttention: "post_attention_layernorm", afterMlp: "post_feedforward_layernorm" },
      epsilon: config.positive("rms_norm_eps", 1e-5),
      queryKeyNorms: "each head",
      biases: { qkv: false, output: false, mlp: false },
      activation: activationOf(config, "hidden_act", "silu"),
      rope: (layer) => (everywhere || window(layer) !== undefined ? rope : undefined),
      window,
      maxPositions: rope.maxPositions,
      tied: false,
    });
  },
};

/** By `layer_types`, or all but every n-th layer. The pattern may be letters too, which count for nothing beside the types. */
function windows(config: Config): AttentionWindows {
  const window = slidingWindow(config);
  const pattern = window === undefined || config.has("layer_types") ? 1 : config.integer("sliding_window_pattern", 4);
  return layerWindows(config, window, (layer) => (layer + 1) % pattern !== 0);
}
