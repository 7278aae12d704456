import type { Architecture } from "../architecture.js";
import { expertWeights } from "../layers/experts/expert-weights.js";
import { gatedBy, mixture } from "../layers/experts/mixture.js";
import { expertCounts, softmaxThenChoose } from "../layers/experts/routers.js";
import { activationOf } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { readRope } from "../layers/rope.js";

/** Mixtral (Jiang et al. 2024, arXiv 2401.04088): Mistral with a few of several experts in place of each MLP. */
export const mixtral: Architecture = {
  description: "Mixtral: experts by softmax whose shares add up to 1, one sliding window for all layers or none",
  modelTypes: ["mixtral"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    const headDim = headDimOf(config);
    const rope = readRope(config, { headDim, theta: 1_000_000 });
    const window = config.has("sliding_window") ? config.integer("sliding_window") : undefined;
    const activation = activationOf(config, "hidden_act", "silu");
    const d = config.integer("hidden_size");
    const inner = config.integer("intermediate_size");
    const { count, perToken } = expertCounts(config, { count: 8, perToken: 2 });
    return llamaLike(config, weights, {
      headDim,
      norms: { beforeAttention: "input_layernorm", beforeMlp: "post_attention_layernorm" },
      epsilon: config.positive("rms_norm_eps", 1e-5),
      biases: { qkv: false, output: false, mlp: false },
      activation,
      feedForward(layer) {
        // As transformers 5 names its modules, and as published.
        const named = `layers.${layer}.mlp`;
        const prefix = weights.has(`${named}.gate.weight`) ? named : `layers.${layer}.block_sparse_moe`;
        const router = { weight: weights.get(`${prefix}.gate.weight`, [count, d]) };
        const experts = {
          weights: expertWeights(weights, {
            count,
            d,
            inner,
            fused: { gateUp: `${prefix}.experts.gate_up_proj`, down: `${prefix}.experts.down_proj` },
            single(expert) {
              const part = (name: string) => `${prefix}.experts.${expert}.${name}.weight`;
              return { gate: part("w1"), up: part("w3"), down: part("w2") };
            },
          }),
          inner,
          gated: gatedBy(activation),
        };
        return (graph, x) =>
          mixture(graph, x, softmaxThenChoose(graph, x, router, { perToken, normalized: true }), experts);
      },
      rope: () => rope,
      window: () => window,
      maxPositions: rope.maxPositions,
      tied: false,
    });
  },
};
