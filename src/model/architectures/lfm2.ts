import type { Value } from "../../engine/graph.js";
import type { Architecture } from "../architecture.js";
import type { Config } from "../config.js";
import { affineReader, gatedMlp } from "../layers/feed-forward.js";
import { linear, rmsNorm, splitLast } from "../layers/layers.js";
import { eachHead, headDimOf, llamaLike, type Mixer } from "../layers/llama-like.js";
import { withoutPadding } from "../layers/padding.js";
import { causalConvolution, keptBy } from "../layers/recurrent/causal-convolution.js";
import { withStates } from "../layers/recurrent/states.js";
import { readRope } from "../layers/rope.js";
import type { Weights } from "../weights.js";

/** LFM2 (Liquid AI 2025, arXiv 2511.23404): gated convolutions over a few tokens, and attention in some layers. */
export const lfm2: Architecture = {
  description:
    "LFM2 (dense): short convolutions and attention by layer_types or full_attn_idxs, conv_L_cache, conv_bias, " +
    "block_auto_adjust_ff_dim; rope as Llama",
  modelTypes: ["lfm2"],
  prefixes: ["model.", ""],
  describe(config, weights) {
    const headDim = headDimOf(config);
    const rope = readRope(config, { headDim, theta: 1_000_000 });
    const epsilon = config.positive("norm_eps", 1e-5);
    const size = { d: config.integer("hidden_size"), inner: innerSize(config) };
    const attends = layersWithAttention(config);
    const names = { gate: "w1", up: "w3", down: "w2" };
    return llamaLike(config, weights, {
      headDim,
      norms: { beforeAttention: "operator_norm", beforeMlp: "ffn_norm" },
      epsilon,
      queryKeyNorms(name, part, numHeads) {
        const weight = weights.get(`${name}.${part}_layernorm.weight`, [headDim]);
        return (graph, x) =>
          eachHead(graph, x, numHeads, headDim, (_, heads) => rmsNorm(graph, heads, weight, epsilon));
      },
      names: { attentionOutput: "out_proj", finalNorm: "embedding_norm" },
      biases: { qkv: false, output: false, mlp: false },
      activation: "silu",
      mixer: (layer, prefix) => (attends(layer) ? undefined : shortConvolution(config, weights, `${prefix}.conv`)),
      feedForward: (layer) => gatedMlp(weights, `layers.${layer}.feed_forward`, size, { activation: "silu", names }),
      rope: () => rope,
      maxPositions: rope.maxPositions,
      tied: config.boolean("tie_embedding", true),
    });
  },
};

/** c * convolution(b * x), where b, c and x are projections of the hidden state. */
function shortConvolution(config: Config, weights: Weights, prefix: string): Mixer {
  const d = config.integer("hidden_size");
  const kernel = config.integer("conv_L_cache", 3);
  const biased = config.boolean("conv_bias", false);
  const affine = affineReader(weights, prefix);
  const into = affine("in_proj", 3 * d, d, biased);
  const output = affine("out_proj", d, d, biased);
  const taps = {
    weight: weights.get(`${prefix}.conv.weight`, [d, 1, kernel]),
    bias: biased ? weights.get(`${prefix}.conv.bias`, [d]) : undefined,
  };
  return (pass, hidden) => {
    const { graph } = pass;
    const [b, c, x] = splitLast(graph, linear(graph, hidden, into), [d, d, d]) as [Value, Value, Value];
    const input = withoutPadding(pass, graph.op("Mul", [b, x]));
    return withStates(pass, { conv: keptBy(d, kernel) }, ({ conv }) => {
      const { y, kept } = causalConvolution(graph, input, taps, conv);
      return { conv: kept, output: linear(graph, graph.op("Mul", [c, y]), output) };
    });
  };
}

/** Which layers `layer_types`, or else `full_attn_idxs`, give attention. */
function layersWithAttention(config: Config): (layer: number) => boolean {
  const layers = config.integer("num_hidden_layers");
  if (!config.has("layer_types")) {
    const listed = config.has("full_attn_idxs") ? config.numbers("full_attn_idxs") : undefined;
    return (layer) => listed?.includes(layer) ?? true;
  }
  const types = config.strings("layer_types");
  if (types.length !== layers) {
    config.fail("layer_types", `has ${types.length} entries for num_hidden_layers = ${layers}`);
  }
  const unknown = types.find((type) => type !== "conv" && type !== "full_attention");
  if (unknown !== undefined) {
    config.fail("layer_types", `holds "${unknown}"; only conv and full_attention are supported`);
  }
  return (layer) => types[layer] === "full_attention";
}

/** Numbers inside the MLP: two thirds of `intermediate_size` times a factor, rounded up, unless the config says otherwise. */
function innerSize(config: Config): number {
  const size = config.has("block_ff_dim") ? config.integer("block_ff_dim") : config.integer("intermediate_size");
  if (!config.boolean("block_auto_adjust_ff_dim", true)) return size;
  const part = Math.floor((2 * size) / 3);
  if (config.isNull("block_ffn_dim_multiplier")) return part;
  const multiple = config.integer("block_multiple_of", 256);
  const wanted = Math.floor(config.positive("block_ffn_dim_multiplier", 1) * part);
  return multiple * Math.floor((wanted + multiple - 1) / multiple);
}
