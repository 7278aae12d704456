import type { Architecture } from "../architecture.js";
import type { Config } from "../config.js";
import { groupedExperts } from "../layers/experts/grouped-experts.js";
import { gatedMlp } from "../layers/feed-forward.js";
import { latentAttention } from "../layers/latent-attention.js";
import { activationOf } from "../layers/layers.js";
import { preNormDecoder } from "../layers/pre-norm-decoder.js";
import { readRope, ropeParameters } from "../layers/rope.js";

/** DeepSeek-V3 and R1 (DeepSeek-AI 2024, arXiv 2412.19437): latent attention, experts chosen in groups behind dense layers. */
export const deepseekV3: Architecture = {
  description:
    "DeepSeek-V3, R1 and models saved as such: latent attention with or without q_lora_rank, rope_interleave, experts by " +
    "corrected sigmoids in groups and shared ones; layers for multi-token prediction are not used; rope as Llama",
  modelTypes: ["deepseek_v3"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    // Of other routers and layers in checkpoints that older code wrote.
    config.mustBe("scoring_func", "sigmoid");
    config.mustBe("topk_method", "noaux_tc");
    config.mustBe("moe_layer_freq", 1);
    const numHeads = config.integer("num_attention_heads");
    config.mustBe("num_key_value_heads", numHeads);
    const d = config.integer("hidden_size");
    const plain = config.integer("qk_nope_head_dim", 128);
    const rotated = config.integer("qk_rope_head_dim", 64);
    const rope = readRope(config, { headDim: rotated });
    const attention = {
      d,
      numHeads,
      plain,
      rotated,
      valueDim: config.integer("v_head_dim", 128),
      queryRank: config.isNull("q_lora_rank") ? undefined : config.integer("q_lora_rank", 1536),
      rank: config.integer("kv_lora_rank", 512),
      biased: config.boolean("attention_bias", false),
      rope,
      rotatedPairs: config.boolean("rope_interleave", true) ? ("neighbours" as const) : ("halves" as const),
      scale: (plain + rotated) ** -0.5 * stretchedScale(config),
    };
    const sparse = groupedExperts(config, weights, {
      count: 256,
      perToken: 8,
      groups: 8,
      groupsPerToken: 4,
      scale: 2.5,
      denseLayers: 3,
    });
    const dense = { d, inner: config.integer("intermediate_size") };
    const activation = activationOf(config, "hidden_act", "silu");
    return preNormDecoder(config, weights, {
      epsilon: config.positive("rms_norm_eps", 1e-6),
      names: {
        embedding: "embed_tokens",
        beforeMixer: "input_layernorm",
        beforeFeedForward: "post_attention_layernorm",
        finalNorm: "norm",
      },
      maxPositions: rope.maxPositions,
      tied: false,
      layer: (index, prefix) => ({
        mixer: latentAttention(weights, `${prefix}.self_attn`, attention),
        feedForward: sparse(index) ?? gatedMlp(weights, `${prefix}.mlp`, dense, { activation }),
      }),
    });
  },
};

/** The square of 1 + 0.1 mscale_all_dim ln(factor), where rotary positions are stretched by a factor above 1. */
function stretchedScale(config: Config): number {
  const parameters = ropeParameters(config);
  const kind = parameters?.string(parameters.has("rope_type") ? "rope_type" : "type", "default") ?? "default";
  if (parameters === undefined || kind === "default") return 1;
  const weight = parameters.has("mscale_all_dim") ? parameters.number("mscale_all_dim") : 0;
  const factor = parameters.positive("factor", 1);
  return weight === 0 || factor <= 1 ? 1 : (0.1 * weight * Math.log(factor) + 1) ** 2;
}
