import type { Architecture } from "../architecture.js";
import { type Config, config as parsedConfig } from "../config.js";
import { layerWindows } from "../layers/attention-windows.js";
import { expertWeights, hasFused } from "../layers/experts/expert-weights.js";
import { type Gated, mixture } from "../layers/experts/mixture.js";
import { chooseThenSoftmax, expertCounts } from "../layers/experts/routers.js";
import { add, scaled } from "../layers/layers.js";
import { headDimOf, llamaLike } from "../layers/llama-like.js";
import { ropeOf } from "../layers/rope.js";
import type { Weights } from "../weights.js";

/** Where gate and up are cut, and the factor in the gate's sigmoid: the same in all released models. */
const [limit, steepness] = [7, 1.702];

/**
 * gpt-oss (OpenAI 2025, arXiv 2508.10925): experts with biases and a gate of their own, a sink for each head of attention,
 * a window in every other layer, YaRN.
 */
export const gptOss: Architecture = {
  description:
    "gpt-oss: experts with biases, in MXFP4 or widened, attention sinks, windows in every other layer or by layer_types, yarn",
  modelTypes: ["gpt_oss"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    config.mustBe("swiglu_limit", limit);
    const headDim = headDimOf(config, 64);
    const rope = ropeOf(config, ropeParameters(config), { headDim, theta: 150_000 });
    const window = config.isNull("sliding_window") ? undefined : config.integer("sliding_window", 128);
    const attentionBias = config.boolean("attention_bias", true);
    return llamaLike(config, weights, {
      headDim,
      norms: { beforeAttention: "input_layernorm", beforeMlp: "post_attention_layernorm" },
      epsilon: config.positive("rms_norm_eps", 1e-5),
      biases: { qkv: attentionBias, output: attentionBias, mlp: false },
      sinks: "self_attn.sinks",
      // Of experts alone, which have a gate of their own.
      activation: "silu",
      feedForward: experts(config, weights),
      rope: () => rope,
      window: layerWindows(config, window, (layer) => layer % 2 === 0),
      maxPositions: rope.maxPositions,
      tied: false,
    });
  },
};

/** The released models', where a config has none. */
function ropeParameters(config: Config): Config {
  return (
    config.object("rope_scaling") ??
    config.object("rope_parameters") ??
    parsedConfig(config.place, {
      rope_type: "yarn",
      factor: 32,
      beta_fast: 32,
      beta_slow: 1,
      truncate: false,
      original_max_position_embeddings: 4096,
    })
  );
}

function experts(config: Config, weights: Weights) {
  const d = config.integer("hidden_size");
  const inner = config.integer("intermediate_size");
  const { count, perToken } = expertCounts(config, { count: 128, perToken: 4 });
  return (layer: number) => {
    const prefix = `layers.${layer}.mlp`;
    const router = {
      weight: weights.get(`${prefix}.router.weight`, [count, d]),
      bias: weights.get(`${prefix}.router.bias`, [count]),
    };
    const named = { gateUp: `${prefix}.experts.gate_up_proj`, down: `${prefix}.experts.down_proj` };
    // As published in MXFP4, whose rows are outputs; or widened before, with rows that are inputs.
    const isWidened = hasFused(weights, `${named.gateUp}_rows`);
    const fused = isWidened ? { gateUp: `${named.gateUp}_rows`, down: `${named.down}_rows` } : named;
    const layout = {
      count,
      d,
      inner,
      fused,
      inputsFirst: !isWidened,
      interleaved: true,
      biases: { gateUp: `${named.gateUp}_bias`, down: `${named.down}_bias` },
    };
    const ofLayer = { weights: expertWeights(weights, layout), inner, gated: cutGate };
    return (graph: Parameters<Gated>[0], x: Parameters<Gated>[1]) =>
      mixture(graph, x, chooseThenSoftmax(graph, x, router, perToken), ofLayer);
  };
}

/** (up + 1) * gate * sigmoid(1.702 gate), with gate cut above and up on both sides. */
const cutGate: Gated = (graph, gate, up) => {
  const number = (value: number) => graph.constant(Float32Array.of(value), []);
  const cut = graph.op("Clip", [gate, undefined, number(limit)]);
  const passed = graph.op("Mul", [cut, graph.op("Sigmoid", [scaled(graph, cut, steepness)])]);
  return graph.op("Mul", [add(graph, graph.op("Clip", [up, number(-limit), number(limit)]), number(1)), passed]);
};
