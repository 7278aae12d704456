import type { Architecture } from "../architecture.js";
import { activationOf, layerNorm } from "../layers/layers.js";
import { eachHead, type HeadNormReader, headDimOf, llamaLike } from "../layers/llama-like.js";
import { readRope } from "../layers/rope.js";
import { perLayer } from "../weights.js";

/**
 * StableLM (Stability AI 2023): Llama with LayerNorms, rotary positions on a part of each head and, on request, biases on
 * q, k and v, a LayerNorm of its own for each head of q and k, and attention and MLP side by side.
 */
export const stablelm: Architecture = {
  description:
    "StableLM 2 and 3B: partial_rotary_factor, use_qkv_bias, qk_layernorm, use_parallel_residual, grouped heads; rope as Llama",
  modelTypes: ["stablelm"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    const headDim = headDimOf(config);
    const rope = readRope(config, { headDim, share: 0.25 });
    const epsilon = config.positive("layer_norm_eps", 1e-5);
    const parallel = config.boolean("use_parallel_residual", false);
    const queryKeyNorms: HeadNormReader = (name, part, numHeads) => {
      const own = perLayer(numHeads, (head) =>
        weights.get(`${name}.${part}_layernorm.norms.${head}.weight`, [headDim]),
      );
      return (graph, x) => {
        const rows = own.map((weight) =>
          graph.op("Unsqueeze", [graph.weightFloat32(weight), graph.constant(BigInt64Array.of(0n))]),
        );
        const factors = graph.op("Concat", rows, { axis: 0 });
        return eachHead(graph, x, numHeads, headDim, (_, heads) =>
          graph.op("Mul", [layerNorm(graph, heads, headDim, epsilon), factors]),
        );
      };
    };
    return llamaLike(config, weights, {
      headDim,
      usualKvHeads: 32,
      norms: { beforeAttention: "input_layernorm", beforeMlp: parallel ? undefined : "post_attention_layernorm" },
      layerNorms: "with bias",
      epsilon,
      queryKeyNorms: config.boolean("qk_layernorm", false) ? queryKeyNorms : undefined,
      parallel,
      biases: { qkv: config.boolean("use_qkv_bias", false), output: false, mlp: false },
      activation: activationOf(config, "hidden_act", "silu"),
      rope: () => rope,
      maxPositions: rope.maxPositions,
      tied: false,
    });
  },
};
