import type { Architecture } from "../architecture.js";
import type { Config } from "../config.js";
import { expertCounts } from "../layers/experts/routers.js";
import { softmaxExperts, sparseLayers } from "../layers/experts/softmax-experts.js";
import { activationOf } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { gatedDeltaNet } from "../layers/recurrent/gated-delta-net.js";
import { readRope } from "../layers/rope.js";

/** Qwen3-Next (Qwen team 2025): three layers of linear attention for each with gated attention, and experts. */
export const qwen3Next: Architecture = {
  description:
    "Qwen3-Next: linear attention (gated delta rule) and gated attention by layer_types or full_attention_interval, experts " +
    "by softmax and a shared one, partial_rotary_factor; layers for multi-token prediction are not used",
  modelTypes: ["qwen3_next"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    const headDim = headDimOf(config, 256);
    const rope = readRope(config, { headDim, share: 0.25 });
    const attentionBias = config.boolean("attention_bias", false);
    const activation = activationOf(config, "hidden_act", "silu");
    const epsilon = config.positive("rms_norm_eps", 1e-6);
    const d = config.integer("hidden_size");
    const isLinear = linearLayers(config);
    const isSparse = sparseLayers(config);
    const keyHeads = config.integer("linear_num_key_heads", 16);
    const valueHeads = config.integer("linear_num_value_heads", 32);
    if (valueHeads % keyHeads !== 0) {
      config.fail(
        "linear_num_key_heads",
        `is ${keyHeads}, which does not divide linear_num_value_heads = ${valueHeads}`,
      );
    }
    const linearAttention = {
      d,
      keyHeads,
      valueHeads,
      keyDim: config.integer("linear_key_head_dim", 128),
      valueDim: config.integer("linear_value_head_dim", 128),
      kernel: config.integer("linear_conv_kernel_dim", 4),
      activation,
      epsilon,
    };
    const experts = {
      ...expertCounts(config, { count: 512, perToken: 10 }),
      d,
      inner: config.integer("moe_intermediate_size", 512),
      sharedInner: config.integer("shared_expert_intermediate_size", 512),
      normalized: config.boolean("norm_topk_prob", true),
      activation,
    };
    return llamaLike(config, weights, {
      headDim,
      norms: { beforeAttention: "input_layernorm", beforeMlp: "post_attention_layernorm" },
      epsilon,
      weightOffset: 1,
      queryKeyNorms: "each head",
      gated: true,
      biases: { qkv: attentionBias, output: attentionBias, mlp: false },
      activation,
      mixer: (layer, prefix) =>
        isLinear(layer) ? gatedDeltaNet(weights, `${prefix}.linear_attn`, linearAttention) : undefined,
      feedForward: (layer) => (isSparse(layer) ? softmaxExperts(weights, `layers.${layer}.mlp`, experts) : undefined),
      rope: () => rope,
      maxPositions: rope.maxPositions,
      tied: false,
    });
  },
};

/** Which layers `layer_types` calls linear_attention; without it all but every `full_attention_interval`-th. */
function linearLayers(config: Config): (layer: number) => boolean {
  const layers = config.integer("num_hidden_layers");
  if (!config.has("layer_types")) {
    const interval = config.integer("full_attention_interval", 4);
    return (layer) => (layer + 1) % interval !== 0;
  }
  const types = config.strings("layer_types");
  if (types.length !== layers) {
    config.fail("layer_types", `has ${types.length} entries for num_hidden_layers = ${layers}`);
  }
  const unknown = types.find((type) => type !== "linear_attention" && type !== "full_attention");
  if (unknown !== undefined) {
    config.fail("layer_types", `holds "${unknown}"; only linear_attention and full_attention are supported`);
  }
  return (layer) => types[layer] === "linear_attention";
}
