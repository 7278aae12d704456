import type { Architecture } from "../architecture.js";
import type { Config } from "../config.js";
import { expertWeights } from "../layers/experts/expert-weights.js";
import { gatedBy, mixture } from "../layers/experts/mixture.js";
import { chooseThenSigmoid, expertCounts } from "../layers/experts/routers.js";
import { type FeedForward, gatedMlp } from "../layers/feed-forward.js";
import { activationOf, add } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { growingQueries } from "../layers/query-scale.js";
import { layersWithRope, readRope } from "../layers/rope.js";
import type { Weights } from "../weights.js";

/**
 * Llama 4's language model (Meta 2025): experts that get their input times their share beside one for every token, layers
 * that see parts of the text with rotary positions, and layers that see all of it without any.
 */
export const llama4Text: Architecture = {
  description:
    "Llama 4, text only: experts in all layers or some (moe_layers, interleave_moe_layer_step) and a shared one, " +
    "attention_chunk_size, layers without positions, attn_temperature_tuning, use_qk_norm; rope as Llama",
  modelTypes: ["llama4_text"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    const headDim = headDimOf(config, 128);
    const rope = readRope(config, { headDim, theta: 500_000 });
    const hasRope = layersWithRope(config);
    const attentionBias = config.boolean("attention_bias", false);
    const grows = config.boolean("attn_temperature_tuning", true);
    const growth = {
      beta: config.number("attn_scale", 0.1),
      every: config.integer("floor_scale", 8192),
      first: 1 as const,
    };
    return llamaLike(config, weights, {
      headDim,
      norms: { beforeAttention: "input_layernorm", beforeMlp: "post_attention_layernorm" },
      epsilon: config.positive("rms_norm_eps", 1e-5),
      normsRotated: config.boolean("use_qk_norm", true),
      biases: { qkv: attentionBias, output: attentionBias, mlp: false },
      activation: activationOf(config, "hidden_act", "silu"),
      feedForward: feedForwards(config, weights),
      rope: (layer) => (hasRope(layer) ? rope : undefined),
      rotatedPairs: "neighbours",
      queryScale: (pass, layer) => (grows && !hasRope(layer) ? growingQueries(pass, growth) : undefined),
      chunk: chunks(config, hasRope),
      maxPositions: rope.maxPositions,
      tied: false,
    });
  },
};

/** `attention_chunk_size` in layers that `layer_types`, or else their rotary positions, give one. */
function chunks(config: Config, hasRope: (layer: number) => boolean): (layer: number) => number | undefined {
  const size = config.isNull("attention_chunk_size") ? undefined : config.integer("attention_chunk_size", 8192);
  const types = config.has("layer_types") ? config.strings("layer_types") : undefined;
  const layers = config.integer("num_hidden_layers");
  if (types !== undefined && types.length !== layers) {
    config.fail("layer_types", `has ${types.length} entries for num_hidden_layers = ${layers}`);
  }
  const unknown = types?.find((type) => type !== "chunked_attention" && type !== "full_attention");
  if (unknown !== undefined) {
    config.fail("layer_types", `holds "${unknown}"; only chunked_attention and full_attention are supported`);
  }
  return (layer) => {
    const isChunked = types === undefined ? hasRope(layer) : types[layer] === "chunked_attention";
    if (isChunked && size === undefined) config.fail("attention_chunk_size", `is null, but layer ${layer} has one`);
    return isChunked ? size : undefined;
  };
}

function feedForwards(config: Config, weights: Weights): (layer: number) => FeedForward {
  const d = config.integer("hidden_size");
  const inner = config.integer("intermediate_size");
  const activation = activationOf(config, "hidden_act", "silu");
  const { count, perToken } = expertCounts(config, { count: 16, perToken: 1 });
  const isSparse = sparseLayers(config);
  return (layer) => {
    const prefix = `layers.${layer}.feed_forward`;
    if (!isSparse(layer)) {
      return gatedMlp(weights, prefix, { d, inner: config.integer("intermediate_size_mlp", 16_384) }, { activation });
    }
    const router = { weight: weights.get(`${prefix}.router.weight`, [count, d]) };
    const fused = { gateUp: `${prefix}.experts.gate_up_proj`, down: `${prefix}.experts.down_proj` };
    const experts = {
      weights: expertWeights(weights, { count, d, inner, fused, inputsFirst: true }),
      inner,
      gated: gatedBy(activation),
      sharesInputs: true,
    };
    const shared = gatedMlp(weights, `${prefix}.shared_expert`, { d, inner }, { activation });
    return (graph, x) =>
      add(graph, shared(graph, x), mixture(graph, x, chooseThenSigmoid(graph, x, router, perToken), experts));
  };
}

/** `moe_layers`, or every `interleave_moe_layer_step`-th layer. */
function sparseLayers(config: Config): (layer: number) => boolean {
  const step = config.integer("interleave_moe_layer_step", 1);
  const listed = config.has("moe_layers") ? config.numbers("moe_layers") : undefined;
  return (layer) => listed?.includes(layer) ?? (layer + 1) % step === 0;
}
