import type { Value } from "../../engine/graph.js";
import type { Architecture } from "../architecture.js";
import type { Config } from "../config.js";
import { affineReader } from "../layers/feed-forward.js";
import { activate, activationOf, linear, splitLast } from "../layers/layers.js";
import type { Mixer } from "../layers/llama-like.js";
import { withoutPadding } from "../layers/padding.js";
import { preNormDecoder } from "../layers/pre-norm-decoder.js";
import { causalConvolution, keptBy } from "../layers/recurrent/causal-convolution.js";
import { selectiveScan } from "../layers/recurrent/selective-scan.js";
import { withStates } from "../layers/recurrent/states.js";
import type { Weights } from "../weights.js";

/** Mamba (Gu & Dao 2023, arXiv 2312.00752): selective state spaces behind short convolutions, and nothing else. */
export const mamba: Architecture = {
  description: "Mamba: state_size, expand, conv_kernel, time_step_rank, biases of projections and convolutions",
  modelTypes: ["mamba"],
  prefixes: ["backbone.", ""],
  describe(config, weights) {
    return preNormDecoder(config, weights, {
      epsilon: config.positive("layer_norm_epsilon", 1e-5),
      names: {
        // The first releases' name, too.
        embedding: weights.has("embedding.weight") ? "embedding" : "embeddings",
        beforeMixer: "norm",
        finalNorm: "norm_f",
      },
      maxPositions: undefined,
      tied: true,
      layer: (_, prefix) => ({ mixer: selectiveMixer(config, weights, `${prefix}.mixer`) }),
    });
  },
};

function selectiveMixer(config: Config, weights: Weights, prefix: string): Mixer {
  const d = config.integer("hidden_size");
  const inner = config.integer("expand", 2) * d;
  const stateSize = config.integer("state_size", 16);
  const kernel = config.integer("conv_kernel", 4);
  const rank = config.unknown("time_step_rank") === "auto" ? Math.ceil(d / 16) : timeStepRank(config, d);
  const biased = config.boolean("use_bias", false);
  const activation = activationOf(config, "hidden_act", "silu");
  const affine = affineReader(weights, prefix);
  const into = affine("in_proj", 2 * inner, d, biased);
  const select = affine("x_proj", rank + 2 * stateSize, inner, false);
  const toStep = affine("dt_proj", inner, rank, true);
  const output = affine("out_proj", d, inner, biased);
  const taps = {
    weight: weights.get(`${prefix}.conv1d.weight`, [inner, 1, kernel]),
    bias: config.boolean("use_conv_bias", true) ? weights.get(`${prefix}.conv1d.bias`, [inner]) : undefined,
  };
  const logRate = weights.get(`${prefix}.A_log`, [inner, stateSize]);
  const skip = weights.get(`${prefix}.D`, [inner]);
  return (pass, hidden) => {
    const { graph } = pass;
    const [input, gate] = splitLast(graph, linear(graph, hidden, into), [inner, inner]) as [Value, Value];
    const rate = graph.op("Neg", [graph.op("Exp", [graph.weightFloat32(logRate)])]);
    return withStates(pass, { conv: keptBy(inner, kernel), ssm: [inner, stateSize] }, ({ conv, ssm }) => {
      const { y, kept } = causalConvolution(graph, withoutPadding(pass, input), taps, conv);
      const x = withoutPadding(pass, activate(graph, activation, y));
      const [low, b, c] = splitLast(graph, linear(graph, x, select), [rank, stateSize, stateSize]) as [
        Value,
        Value,
        Value,
      ];
      const step = graph.op("Softplus", [linear(graph, low, toStep)]);
      const scanned = selectiveScan(graph, { x, step, b, c }, rate, ssm);
      const read = graph.op("Add", [scanned.output, graph.op("Mul", [x, graph.weightFloat32(skip)])]);
      const passed = graph.op("Mul", [read, activate(graph, "silu", gate)]);
      return { conv: kept, ssm: scanned.state, output: linear(graph, passed, output) };
    });
  };
}

function timeStepRank(config: Config, d: number): number {
  return config.integer("time_step_rank", Math.ceil(d / 16));
}
