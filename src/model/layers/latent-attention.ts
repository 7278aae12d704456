import type { Graph, Value } from "../../engine/graph.js";
import { transposedProduct } from "../../engine/transposed-product.js";
import type { TensorEntry } from "../../tensor/safetensors/safetensors.js";
import type { ForwardPass, KeyValueCache } from "../architecture.js";
import type { Weights } from "../weights.js";
import { attendTo, causalAttention } from "./attention.js";
import { type Affine, linear, reshape, rmsNorm, splitLast } from "./layers.js";
import type { Mixer } from "./llama-like.js";
import type { Rope } from "./rope.js";
import { type RotatedPairs, rotaryTables, rotate } from "./rotary.js";

/** Sizes of multi-head latent attention (DeepSeek-AI 2024, arXiv 2405.04434). */
export interface LatentAttention {
  readonly d: number;
  readonly numHeads: number;
  /** Numbers of a head of q and k without positions, of one with them, and of a head of v. */
  readonly plain: number;
  readonly rotated: number;
  readonly valueDim: number;
  /** Numbers that q is computed from, undefined if from the hidden state itself, and those that all k and v are. */
  readonly queryRank: number | undefined;
  readonly rank: number;
  /** Whether the projections from the hidden state and back have biases. */
  readonly biased: boolean;
  readonly rope: Rope;
  readonly rotatedPairs: RotatedPairs;
  /** Factor on q . k. */
  readonly scale: number;
}

/** Of the norms inside, whatever the config says of the others. */
const epsilon = 1e-6;

/** What a pass computes of q, k and v before they meet: [batch, time, ...] each. */
interface Parts {
  /** [numHeads, plain] and [numHeads * rotated] */
  readonly qPlain: Value;
  readonly qPlaced: Value;
  /** [rank]: what k and v are computed from. */
  readonly latent: Value;
  /** [rotated]: the part of k with positions, the same for all heads. */
  readonly kPlaced: Value;
}

/** Finds the weights of one layer's attention. @throws InputError naming one that is missing */
export function latentAttention(weights: Weights, prefix: string, sizes: LatentAttention): Mixer {
  const { d, numHeads, plain, rotated, valueDim, rank, biased } = sizes;
  const affine = (name: string, out: number, input: number, hasBias: boolean): Affine => ({
    weight: weights.get(`${prefix}.${name}.weight`, [out, input]),
    bias: hasBias ? weights.get(`${prefix}.${name}.bias`, [out]) : undefined,
  });
  const queries = latentQueries(weights, prefix, sizes, affine);
  const down = affine("kv_a_proj_with_mqa", rank + rotated, d, biased);
  const norm = weights.get(`${prefix}.kv_a_layernorm.weight`, [rank]);
  const up = affine("kv_b_proj", numHeads * (plain + valueDim), rank, false).weight;
  const output = affine("o_proj", d, numHeads * valueDim, biased);
  return (pass, x) => {
    const { graph } = pass;
    const tables = rotaryTables(pass, sizes.rope);
    const q = reshape(graph, queries(graph, x), [0, 0, numHeads, plain + rotated]);
    const [qPlain, qBare] = splitLast(graph, q, [plain, rotated]) as [Value, Value];
    const [compressed, kBare] = splitLast(graph, linear(graph, x, down), [rank, rotated]) as [Value, Value];
    const parts: Parts = {
      qPlain,
      qPlaced: rotate(graph, reshape(graph, qBare, [0, 0, numHeads * rotated]), numHeads, tables, sizes.rotatedPairs),
      latent: rmsNorm(graph, compressed, norm, epsilon),
      kPlaced: rotate(graph, kBare, 1, tables, sizes.rotatedPairs),
    };
    const attended = pass.cache
      ? absorbedAttention(pass, pass.cache, parts, sizes, up)
      : expandedAttention(pass, parts, sizes, up);
    return linear(graph, attended, output);
  };
}

/** q of all heads from the hidden state, in one step or by way of fewer numbers. */
function latentQueries(
  weights: Weights,
  prefix: string,
  { d, numHeads, plain, rotated, queryRank, biased }: LatentAttention,
  affine: (name: string, out: number, input: number, biased: boolean) => Affine,
): (graph: Graph, x: Value) => Value {
  const size = numHeads * (plain + rotated);
  if (queryRank === undefined) {
    const whole = affine("q_proj", size, d, false);
    return (graph, x) => linear(graph, x, whole);
  }
  const down = affine("q_a_proj", queryRank, d, biased);
  const norm = weights.get(`${prefix}.q_a_layernorm.weight`, [queryRank]);
  const up = affine("q_b_proj", size, queryRank, false);
  return (graph, x) => linear(graph, rmsNorm(graph, linear(graph, x, down), norm, epsilon), up);
}

/** Each head with keys and values of its own: less work where many tokens are read at once. */
function expandedAttention(pass: ForwardPass, parts: Parts, sizes: LatentAttention, up: TensorEntry): Value {
  const { graph } = pass;
  const { numHeads, plain, rotated, valueDim, scale } = sizes;
  const expanded = reshape(graph, linear(graph, parts.latent, { weight: up }), [0, 0, numHeads, plain + valueDim]);
  const [kPlain, v] = splitLast(graph, expanded, [plain, valueDim]) as [Value, Value];
  const copies = graph.constant(BigInt64Array.from([1, 1, numHeads, 1], BigInt));
  const kPlaced = graph.op("Expand", [reshape(graph, parts.kPlaced, [0, 0, 1, rotated]), copies]);
  const joined = (bare: Value, placed: Value) =>
    reshape(graph, graph.op("Concat", [bare, placed], { axis: -1 }), [0, 0, numHeads * (plain + rotated)]);
  return causalAttention(pass, {
    q: joined(parts.qPlain, reshape(graph, parts.qPlaced, [0, 0, numHeads, rotated])),
    k: joined(kPlain, kPlaced),
    v: reshape(graph, v, [0, 0, numHeads * valueDim]),
    numHeads,
    numKvHeads: numHeads,
    headDim: plain + rotated,
    valueDim,
    scale,
  });
}

/**
 * Over what earlier passes saw too. Cached are the numbers that all heads' k and v are computed from, rank + rotated a token:
 * q . (W_k c) = (W_k' q) . c, so that one key serves all heads, and W_v comes after the sum.
 */
function absorbedAttention(
  pass: ForwardPass,
  cache: KeyValueCache,
  parts: Parts,
  { numHeads, plain, rotated, valueDim, rank, scale }: LatentAttention,
  up: TensorEntry,
): Value {
  const { graph } = pass;
  const swapped = (x: Value) => graph.op("Transpose", [x], { perm: [0, 2, 1, 3] });
  const ofHeads = reshape(graph, graph.weightFloat32(up), [numHeads, plain + valueDim, rank]);
  const widths = graph.constant(BigInt64Array.from([plain, valueDim], BigInt));
  const [toKeys, toValues] = graph.ops("Split", [ofHeads, widths], 2, { axis: 1 }) as [Value, Value];
  const { keys: latents, values: placed } = cache.extend({
    keys: graph.op("Unsqueeze", [parts.latent, graph.constant(BigInt64Array.of(1n))]),
    values: graph.op("Unsqueeze", [parts.kPlaced, graph.constant(BigInt64Array.of(1n))]),
    numKvHeads: 1,
    headDim: rank,
    valueDim: rotated,
  });
  const absorbed = swapped(graph.op("MatMul", [swapped(parts.qPlain), toKeys]));
  const q = graph.op("Concat", [absorbed, reshape(graph, parts.qPlaced, [0, 0, numHeads, rotated])], { axis: -1 });
  const form = { numHeads, numKvHeads: 1, headDim: rank + rotated, valueDim: rank, scale };
  const attended = attendTo(
    pass,
    { ...form, q: reshape(graph, q, [0, 0, numHeads * (rank + rotated)]) },
    { keys: graph.op("Concat", [latents, placed], { axis: -1 }), values: latents },
  );
  const latentOfHeads = swapped(reshape(graph, attended, [0, 0, numHeads, rank]));
  const values = transposedProduct(graph, latentOfHeads, toValues, { transposeB: 3 });
  return reshape(graph, swapped(values), [0, 0, numHeads * valueDim]);
}
