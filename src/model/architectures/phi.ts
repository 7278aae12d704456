import type { Architecture } from "../architecture.js";
import { activationOf, layerNorm } from "../layers/layers.js";
import { eachHead, type HeadNormReader, headDimOf, llamaLike } from "../layers/llama-like.js";
import { readRope } from "../layers/rope.js";

/**
 * Phi-1, 1.5 and 2 (Gunasekar et al. 2023): attention and an MLP without a gate side by side behind one LayerNorm, biases
 * everywhere, the head's too, and rotary positions on a part of each head.
 */
export const phi: Architecture = {
  description:
    "Phi-1, Phi-1.5, Phi-2: partial_rotary_factor, grouped heads, norms on q and k, output bias; rope as Llama",
  modelTypes: ["phi"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    const headDim = headDimOf(config);
    const rope = readRope(config, { headDim, share: 0.5 });
    const epsilon = config.positive("layer_norm_eps", 1e-5);
    const queryKeyNorms: HeadNormReader = (name, part, numHeads) => {
      const [weight, bias] = ["weight", "bias"].map((kind) =>
        weights.get(`${name}.${part}_layernorm.${kind}`, [headDim]),
      );
      return (graph, x) =>
        eachHead(graph, x, numHeads, headDim, (_, heads) =>
          layerNorm(graph, heads, { weight: weight!, bias }, epsilon),
        );
    };
    return llamaLike(config, weights, {
      headDim,
      norms: { beforeAttention: "input_layernorm" },
      layerNorms: "with bias",
      epsilon,
      queryKeyNorms: config.boolean("qk_layernorm", false) ? queryKeyNorms : undefined,
      plainMlp: { up: "fc1", down: "fc2" },
      parallel: true,
      names: { attentionOutput: "dense", finalNorm: "final_layernorm" },
      biases: { qkv: true, output: true, mlp: true, head: true },
      activation: activationOf(config, "hidden_act", "gelu_new"),
      rope: () => rope,
      maxPositions: rope.maxPositions,
      tied: false,
    });
  },
};
