import type { Graph, Value } from "../../../engine/graph.js";
import type { Weights } from "../../weights.js";
import { type Activation, activate, linear, reshape, rmsNorm, scaled, splitLast } from "../layers.js";
import type { Mixer } from "../llama-like.js";
import { withoutPadding } from "../padding.js";
import { causalConvolution, keptBy } from "./causal-convolution.js";
import { gatedDeltaRule } from "./gated-delta-rule.js";
import { withStates } from "./states.js";

/** Sizes of one layer of linear attention as in Qwen3-Next. */
export interface GatedDeltaNet {
  readonly d: number;
  /** Each head of q and k serves valueHeads / keyHeads consecutive heads of v. */
  readonly keyHeads: number;
  readonly valueHeads: number;
  readonly keyDim: number;
  readonly valueDim: number;
  /** Tokens that a convolution sees. */
  readonly kernel: number;
  /** Behind the convolution. */
  readonly activation: Activation;
  readonly epsilon: number;
}

/** Added to the squares that q and k are normalised by. */
const lengthEpsilon = 1e-6;

/** Finds the weights of one layer (Yang et al. 2024, arXiv 2412.06464). @throws InputError naming one that is missing */
export function gatedDeltaNet(weights: Weights, prefix: string, sizes: GatedDeltaNet): Mixer {
  const { d, keyHeads, valueHeads, keyDim, valueDim, kernel, activation, epsilon } = sizes;
  const [keys, values] = [keyHeads * keyDim, valueHeads * valueDim];
  const channels = 2 * keys + values;
  const toQkvz = { weight: weights.get(`${prefix}.in_proj_qkvz.weight`, [channels + values, d]) };
  const toRates = { weight: weights.get(`${prefix}.in_proj_ba.weight`, [2 * valueHeads, d]) };
  const taps = { weight: weights.get(`${prefix}.conv1d.weight`, [channels, 1, kernel]) };
  const logRate = weights.get(`${prefix}.A_log`, [valueHeads]);
  const stepBias = weights.get(`${prefix}.dt_bias`, [valueHeads]);
  const norm = weights.get(`${prefix}.norm.weight`, [valueDim]);
  const output = { weight: weights.get(`${prefix}.out_proj.weight`, [d, values]) };
  const shapes = { conv: keptBy(channels, kernel), recurrent: [valueHeads, keyDim, valueDim] };

  return (pass, x) => {
    const { graph } = pass;
    const { qkv, gate } = projections(graph, linear(graph, x, toQkvz), sizes);
    const { strength, step } = rates(graph, linear(graph, x, toRates), sizes);
    const rate = graph.op("Neg", [graph.op("Exp", [graph.weightFloat32(logRate)])]);
    const steps = graph.op("Softplus", [graph.op("Add", [step, graph.weightFloat32(stepBias)])]);
    const logDecay = graph.op("Mul", [steps, rate]);
    return withStates(pass, shapes, ({ conv, recurrent }) => {
      const { y, kept } = causalConvolution(graph, withoutPadding(pass, qkv), taps, conv);
      const [q, k, v] = splitLast(graph, activate(graph, activation, y), [keys, keys, values]) as [Value, Value, Value];
      const ruled = gatedDeltaRule(
        graph,
        {
          q: scaled(graph, unitHeads(graph, q, sizes), keyDim ** -0.5),
          k: unitHeads(graph, k, sizes),
          v: reshape(graph, v, [0, 0, valueHeads, valueDim]),
          logDecay: reshape(graph, logDecay, [0, 0, valueHeads, 1]),
          strength: reshape(graph, strength, [0, 0, valueHeads, 1]),
        },
        { heads: valueHeads, keyDim, valueDim },
        recurrent,
      );
      const heads = rmsNorm(graph, reshape(graph, ruled.output, [0, 0, valueHeads, valueDim]), norm, epsilon);
      const passed = graph.op("Mul", [heads, activate(graph, "silu", gate)]);
      const mixed = linear(graph, reshape(graph, passed, [0, 0, values]), output);
      return { conv: kept, recurrent: ruled.state, output: mixed };
    });
  };
}

/** One matrix gives, for each head of q and k: q, k, its heads of v, and gates of those. */
function projections(graph: Graph, projected: Value, { keyHeads, valueHeads, keyDim, valueDim }: GatedDeltaNet) {
  const shared = (valueHeads / keyHeads) * valueDim;
  const byHead = reshape(graph, projected, [0, 0, keyHeads, 2 * keyDim + 2 * shared]);
  const [q, k, v, z] = splitLast(graph, byHead, [keyDim, keyDim, shared, shared]) as [Value, Value, Value, Value];
  const flat = [q, k, v].map((part) => reshape(graph, part, [0, 0, -1]));
  return { qkv: graph.op("Concat", flat, { axis: -1 }), gate: reshape(graph, z, [0, 0, valueHeads, valueDim]) };
}

/** Likewise how much of a value is overwritten, and the step, [batch, time, valueHeads] each. */
function rates(graph: Graph, projected: Value, { keyHeads, valueHeads }: GatedDeltaNet) {
  const shared = valueHeads / keyHeads;
  const byHead = splitLast(graph, reshape(graph, projected, [0, 0, keyHeads, 2 * shared]), [shared, shared]);
  const [b, a] = byHead.map((part) => reshape(graph, part, [0, 0, valueHeads])) as [Value, Value];
  return { strength: graph.op("Sigmoid", [b]), step: a };
}

/** Heads of length 1, one for each head of v, [batch, time, valueHeads, keyDim]. @param x [batch, time, keyHeads * keyDim] */
function unitHeads(graph: Graph, x: Value, { keyHeads, valueHeads, keyDim }: GatedDeltaNet): Value {
  const heads = reshape(graph, x, [0, 0, keyHeads, 1, keyDim]);
  const squares = graph.op("ReduceSumSquare", [heads, graph.constant(BigInt64Array.of(-1n))], { keepdims: 1 });
  const length = graph.op("Sqrt", [graph.op("Add", [squares, graph.constant(Float32Array.of(lengthEpsilon), [])])]);
  const copies = graph.constant(BigInt64Array.from([1, 1, 1, valueHeads / keyHeads, 1], BigInt));
  return reshape(graph, graph.op("Expand", [graph.op("Div", [heads, length]), copies]), [0, 0, valueHeads, keyDim]);
}
