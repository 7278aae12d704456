import type { Graph, Value } from "../../engine/graph.js";
import type { Architecture } from "../architecture.js";
import type { Config } from "../config.js";
import { affineReader } from "../layers/feed-forward.js";
import { activate, activationOf, linear, reshape, rmsNorm, splitLast } from "../layers/layers.js";
import type { Mixer } from "../layers/llama-like.js";
import { withoutPadding } from "../layers/padding.js";
import { preNormDecoder } from "../layers/pre-norm-decoder.js";
import { causalConvolution, keptBy } from "../layers/recurrent/causal-convolution.js";
import { groupedStateSpace } from "../layers/recurrent/grouped-state-space.js";
import { withStates } from "../layers/recurrent/states.js";
import type { Weights } from "../weights.js";

/** Mamba-2 (Dao & Gu 2024, arXiv 2405.21060): state spaces with one decay for each head, computed in chunks as attention is. */
export const mamba2: Architecture = {
  description:
    "Mamba-2, Codestral Mamba: num_heads, head_dim, n_groups, state_size, conv_kernel, time_step_limit, biases of " +
    "projections and convolutions",
  modelTypes: ["mamba2"],
  prefixes: ["backbone.", ""],
  describe(config, weights) {
    const epsilon = config.positive("layer_norm_epsilon", 1e-5);
    return preNormDecoder(config, weights, {
      epsilon,
      names: {
        embedding: weights.has("embedding.weight") ? "embedding" : "embeddings",
        beforeMixer: "norm",
        finalNorm: "norm_f",
      },
      maxPositions: undefined,
      tied: false,
      layer: (_, prefix) => ({ mixer: headedMixer(config, weights, `${prefix}.mixer`, epsilon) }),
    });
  },
};

function headedMixer(config: Config, weights: Weights, prefix: string, epsilon: number): Mixer {
  const d = config.integer("hidden_size");
  const sizes = readSizes(config, d);
  const { heads, groups, headDim, stateSize } = sizes;
  const inner = heads * headDim;
  const shared = groups * stateSize;
  const channels = inner + 2 * shared;
  const kernel = config.integer("conv_kernel", 4);
  const biased = config.boolean("use_bias", false);
  const activation = activationOf(config, "hidden_act", "silu");
  const limit = timeStepLimit(config);
  const affine = affineReader(weights, prefix);
  const into = affine("in_proj", inner + channels + heads, d, biased);
  const output = affine("out_proj", d, inner, biased);
  const taps = {
    weight: weights.get(`${prefix}.conv1d.weight`, [channels, 1, kernel]),
    bias: config.boolean("use_conv_bias", true) ? weights.get(`${prefix}.conv1d.bias`, [channels]) : undefined,
  };
  const [logRate, skip, stepBias] = ["A_log", "D", "dt_bias"].map((name) => weights.get(`${prefix}.${name}`, [heads]));
  const norm = weights.get(`${prefix}.norm.weight`, [inner]);
  return (pass, hidden) => {
    const { graph } = pass;
    const parts = splitLast(graph, linear(graph, hidden, into), [inner, channels, heads]);
    const [gate, mixed, steps] = parts as [Value, Value, Value];
    const positive = graph.op("Softplus", [graph.op("Add", [steps, graph.weightFloat32(stepBias!)])]);
    const step = reshape(graph, held(graph, positive, limit), [0, 0, heads, 1]);
    const rate = graph.op("Neg", [graph.op("Exp", [reshape(graph, graph.weightFloat32(logRate!), [heads, 1])])]);
    const shapes = { conv: keptBy(channels, kernel), ssm: [heads, stateSize, headDim] };
    return withStates(pass, shapes, ({ conv, ssm }) => {
      const { y, kept } = causalConvolution(graph, withoutPadding(pass, mixed), taps, conv);
      const active = withoutPadding(pass, activate(graph, activation, y));
      const [flat, b, c] = splitLast(graph, active, [inner, shared, shared]) as [Value, Value, Value];
      const x = reshape(graph, flat, [0, 0, heads, headDim]);
      const ofGroups = (value: Value) => reshape(graph, value, [0, 0, groups, stateSize]);
      const scanned = groupedStateSpace(
        graph,
        {
          x: graph.op("Mul", [x, step]),
          logDecay: graph.op("Mul", [step, rate]),
          b: ofGroups(b),
          c: ofGroups(c),
        },
        sizes,
        ssm,
      );
      const skipped = graph.op("Mul", [x, reshape(graph, graph.weightFloat32(skip!), [heads, 1])]);
      const read = graph.op("Add", [scanned.output, reshape(graph, skipped, [0, 0, inner])]);
      const passed = rmsNorm(graph, graph.op("Mul", [read, activate(graph, "silu", gate)]), norm, epsilon);
      return { conv: kept, ssm: scanned.state, output: linear(graph, passed, output) };
    });
  };
}

function readSizes(config: Config, d: number) {
  const heads = config.integer("num_heads", 128);
  const headDim = config.integer("head_dim", 64);
  const groups = config.integer("n_groups", 8);
  if (heads * headDim !== config.integer("expand", 2) * d) {
    config.fail("num_heads", `times head_dim is ${heads * headDim}, where expand times hidden_size is wanted`);
  }
  if (heads % groups !== 0) config.fail("n_groups", `is ${groups}, which does not divide num_heads = ${heads}`);
  return { heads, groups, headDim, stateSize: config.integer("state_size", 128) };
}

/** Bounds of the steps; undefined for one that there is not. */
interface Limit {
  readonly least: number;
  readonly most: number | undefined;
}

/** `time_step_limit`, two numbers, of which the second may be infinite in any of the forms that Python writes into JSON. */
function timeStepLimit(config: Config): Limit {
  if (!config.has("time_step_limit")) return { least: 0, most: undefined };
  const list = config.unknown("time_step_limit");
  const [least, most] = Array.isArray(list) && list.length === 2 ? list : [undefined, undefined];
  const isInfinite = most === Number.POSITIVE_INFINITY || most === "Infinity" || mostIsWritten(most);
  if (typeof least !== "number" || !Number.isFinite(least) || !(isInfinite || Number.isFinite(most))) {
    config.fail("time_step_limit", "is not a list of two numbers");
  }
  return { least, most: isInfinite ? undefined : (most as number) };
}

const mostIsWritten = (most: unknown) =>
  typeof most === "object" && most !== null && "__float__" in most && most.__float__ === "Infinity";

function held(graph: Graph, steps: Value, { least, most }: Limit): Value {
  const bound = (value: number | undefined) =>
    value === undefined ? undefined : graph.constant(Float32Array.of(value), []);
  // A softplus is never below 0.
  if (least <= 0 && most === undefined) return steps;
  return graph.op("Clip", [steps, bound(least), bound(most)]);
}
