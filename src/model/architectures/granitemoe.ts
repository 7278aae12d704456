import type { Architecture } from "../architecture.js";
import { expertWeights } from "../layers/experts/expert-weights.js";
import { gatedBy, mixture } from "../layers/experts/mixture.js";
import { chooseThenSoftmax, expertCounts } from "../layers/experts/routers.js";
import { activationOf } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { readRope } from "../layers/rope.js";

/** Granite 3 MoE (IBM 2024): Granite with experts, whose shares are a softmax over the chosen ones. */
export const graniteMoe: Architecture = {
  description: "Granite 3 MoE, PowerMoE: factors as Granite, experts by their logits; rope as Llama",
  modelTypes: ["granitemoe"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    const headDim = headDimOf(config);
    const rope = readRope(config, { headDim });
    const attentionBias = config.boolean("attention_bias", false);
    const activation = activationOf(config, "hidden_act", "silu");
    const d = config.integer("hidden_size");
    const inner = config.integer("intermediate_size");
    const { count, perToken } = expertCounts(config, { count: 8, perToken: 2 });
    return llamaLike(config, weights, {
      headDim,
      norms: { beforeAttention: "input_layernorm", beforeMlp: "post_attention_layernorm" },
      epsilon: config.positive("rms_norm_eps", 1e-6),
      biases: { qkv: attentionBias, output: attentionBias, mlp: false },
      activation,
      feedForward(layer) {
        const prefix = `layers.${layer}.block_sparse_moe`;
        // As transformers 5 names its modules, and as published.
        const isRenamed = weights.has(`${prefix}.router.weight`);
        const router = {
          weight: weights.get(`${prefix}.${isRenamed ? "router" : "router.layer"}.weight`, [count, d]),
        };
        const fused = isRenamed
          ? { gateUp: `${prefix}.experts.gate_up_proj`, down: `${prefix}.experts.down_proj` }
          : { gateUp: `${prefix}.input_linear.weight`, down: `${prefix}.output_linear.weight` };
        const experts = {
          weights: expertWeights(weights, { count, d, inner, fused }),
          inner,
          gated: gatedBy(activation),
        };
        return (graph, x) => mixture(graph, x, chooseThenSoftmax(graph, x, router, perToken), experts);
      },
      embeddingScale: config.positive("embedding_multiplier", 1),
      attentionScale: config.positive("attention_multiplier", 1),
      residualScale: config.positive("residual_multiplier", 1),
      rope: () => rope,
      maxPositions: rope.maxPositions,
      tied: false,
      headTransform: { scale: 1 / config.positive("logits_scaling", 1) },
    });
  },
};
