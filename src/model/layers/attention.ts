import type { Graph, Value } from "../../engine/graph.js";
import { transposedProduct } from "../../engine/transposed-product.js";
import type { TensorEntry } from "../../tensor/safetensors/safetensors.js";
import type { ForwardPass, KeysAndValues, KeyValueCache } from "../architecture.js";
import { reshape, scaled, splitLast } from "./layers.js";
import { columnsOfPass } from "./padding.js";
import { distances, ordinals } from "./places.js";

/** One layer's attention. */
export interface Attention extends Queries {
  /** [batch, time, numKvHeads * headDim], like v; each of its heads serves numHeads / numKvHeads consecutive heads of q. */
  readonly k: Value;
  /** Its heads may be of another size in layers with as many heads of k as of q. */
  readonly v: Value;
}

/** What one layer's attention asks, and how what it sees is weighed. */
export interface Queries {
  /** [batch, time, numHeads * headDim] */
  readonly q: Value;
  readonly numHeads: number;
  readonly numKvHeads: number;
  /** Numbers in one head of q and k. */
  readonly headDim: number;
  /** Numbers in one head of v; as many if left out. */
  readonly valueDim?: number;
  /** Factor on q . k. */
  readonly scale: number;
  /** How many positions a token sees, itself included; undefined if all before it. */
  readonly window?: number | undefined;
  /** Texts fall into parts of this length, and a token sees those of its own part alone (Llama 4). */
  readonly chunk?: number | undefined;
  /** Scores s become softCap * tanh(s / softCap) before the softmax (Gemma 2). */
  readonly softCap?: number | undefined;
  /**
   * [numHeads]: a logit for each head that takes part in the softmax and stands for nothing, so that what is seen gets
   * less than the whole (Xiao et al. 2023, arXiv 2309.17453; gpt-oss).
   */
  readonly sinks?: TensorEntry | undefined;
  /** Added to the scaled scores; layers with the same object share what it makes. */
  readonly bias?: ScoreBias | undefined;
}

/** Numbers that each head adds to its scores by place, [numHeads, 1 or time, keys], or a batch of these. */
export type ScoreBias = (pass: ForwardPass) => Value;

/**
 * q, k and v of one projection that holds, for each head of k and v, its heads of q, itself, and that of v.
 * @param fused [batch, time, (numHeads + 2 numKvHeads) headDim] @returns as attention wants them
 */
export function splitByHead(
  graph: Graph,
  fused: Value,
  { numHeads, numKvHeads, headDim }: Pick<Attention, "numHeads" | "numKvHeads" | "headDim">,
): Pick<Attention, "q" | "k" | "v"> {
  const width = (numHeads / numKvHeads) * headDim;
  const perHead = reshape(graph, fused, [0, 0, numKvHeads, width + 2 * headDim]);
  const [q, k, v] = splitLast(graph, perHead, [width, headDim, headDim]).map((part, i) =>
    reshape(graph, part, [0, 0, numKvHeads * (i === 0 ? width : headDim)]),
  ) as [Value, Value, Value];
  return { q, k, v };
}

/** Causal softmax attention. @returns [batch, time, numHeads * headDim] */
export function causalAttention(pass: ForwardPass, attention: Attention): Value {
  if (pass.cache !== undefined) return cachedAttention(pass, pass.cache, attention);
  const { softCap, sinks } = attention;
  const { fusedAttention: hasFused } = pass.graph.capabilities;
  return hasFused && softCap === undefined && sinks === undefined
    ? fusedAttention(pass, attention)
    : uncachedAttention(pass, attention);
}

function fusedAttention(
  pass: ForwardPass,
  { q, k, v, numHeads, numKvHeads, headDim, scale, window, chunk, bias }: Attention,
): Value {
  const { graph } = pass;
  const repeated = (x: Value) => repeatHeads(graph, x, numKvHeads, numHeads / numKvHeads, headDim);
  const seesAll = window === undefined && chunk === undefined && bias === undefined;
  const mask = seesAll ? undefined : causalMask(pass, { window, chunk, bias });
  return graph.op("MultiHeadAttention", [q, repeated(k), repeated(v), undefined, undefined, mask], {
    num_heads: numHeads,
    unidirectional: mask === undefined ? 1 : 0,
    scale: { float: scale },
  });
}

/** In single steps: onnxruntime's fused operators with a soft cap were measured up to twice as slow. */
function uncachedAttention(pass: ForwardPass, attention: Attention): Value {
  const { k, v, numKvHeads, headDim, valueDim = headDim } = attention;
  const perHead = (x: Value, size: number) => splitHeads(pass.graph, x, [numKvHeads, 1, size]);
  const [keys, values] = [perHead(k, headDim), perHead(v, valueDim)];
  return attentionInSteps(pass.graph, attention, keys, values, groupedMask(pass, attention));
}

/** Over what earlier passes saw too. */
function cachedAttention(pass: ForwardPass, cache: KeyValueCache, attention: Attention): Value {
  const { graph } = pass;
  const { k, v, numKvHeads, headDim } = attention;
  const perHead = (x: Value) =>
    graph.op("Transpose", [reshape(graph, x, [0, 0, numKvHeads, headDim])], { perm: [0, 2, 1, 3] });
  return attendTo(pass, attention, cache.extend({ keys: perHead(k), values: perHead(v), numKvHeads, headDim }));
}

/**
 * Attention to keys and values of this pass and earlier ones.
 * @param seen [batch, numKvHeads, past + time, ...] each @returns [batch, time, numHeads * valueDim]
 */
export function attendTo(
  pass: ForwardPass,
  queries: Queries,
  { keys, values }: Pick<KeysAndValues, "keys" | "values">,
): Value {
  const { graph } = pass;
  const { q, numHeads, numKvHeads, headDim, valueDim = headDim, scale, softCap, sinks } = queries;
  const isPlain = graph.capabilities.fusedAttention && softCap === undefined && sinks === undefined;
  if (isPlain && numKvHeads === numHeads && valueDim === headDim) {
    return graph.op("MultiHeadAttention", [q, keys, values, undefined, undefined, causalMask(pass, queries)], {
      num_heads: numHeads,
      scale: { float: scale },
    });
  }
  // Without copies of the keys for each group of heads: they are most of what one new token reads.
  const grouped = (x: Value) => graph.op("Unsqueeze", [x, graph.constant(BigInt64Array.of(2n))]);
  return attentionInSteps(graph, queries, grouped(keys), grouped(values), groupedMask(pass, queries));
}

/**
 * softmax(softCap * tanh(scale q . k / softCap) + mask) v, each head of k and v with its group of heads of q.
 * @param k [batch, numKvHeads, 1, keys, headDim] @param v the same with valueDim @param mask broadcast to [batch, numKvHeads, groups, time, keys]
 */
function attentionInSteps(
  graph: Graph,
  { q, numHeads, numKvHeads, headDim, valueDim = headDim, scale, softCap, sinks }: Queries,
  k: Value,
  v: Value,
  mask: Value,
): Value {
  const perHead = splitHeads(graph, q, [numKvHeads, numHeads / numKvHeads, headDim]);
  const factor = softCap === undefined ? scale : scale / softCap;
  const scores = transposedProduct(graph, perHead, k, { transposeB: 5, factor });
  const capped = softCap === undefined ? scores : scaled(graph, graph.op("Tanh", [scores]), softCap);
  const seen = graph.op("Add", [capped, mask]);
  const shares =
    sinks === undefined
      ? graph.op("Softmax", [seen], { axis: -1 })
      : softmaxBesides(graph, seen, reshape(graph, graph.weightFloat32(sinks), [numKvHeads, -1, 1, 1]));
  const attended = graph.op("MatMul", [shares, v]);
  return reshape(graph, graph.op("Transpose", [attended], { perm: [0, 3, 1, 2, 4] }), [0, 0, numHeads * valueDim]);
}

/** exp(x) / (exp(other) + sum exp(x)) over the last axis. @param other broadcast to that axis of one */
function softmaxBesides(graph: Graph, x: Value, other: Value): Value {
  const last = graph.constant(BigInt64Array.of(-1n));
  const largest = graph.op("Max", [graph.op("ReduceMax", [x, last], { keepdims: 1 }), other]);
  const powers = graph.op("Exp", [graph.op("Sub", [x, largest])]);
  const sum = graph.op("ReduceSum", [powers, last], { keepdims: 1 });
  return graph.op("Div", [powers, graph.op("Add", [sum, graph.op("Exp", [graph.op("Sub", [other, largest])])])]);
}

/** [batch, time, numKvHeads * groups * headDim] to [batch, numKvHeads, groups, time, headDim]. */
function splitHeads(graph: Graph, x: Value, [numKvHeads, groups, headDim]: readonly [number, number, number]): Value {
  return graph.op("Transpose", [reshape(graph, x, [0, 0, numKvHeads, groups, headDim])], { perm: [0, 2, 3, 1, 4] });
}

function repeatHeads(graph: Graph, x: Value, numHeads: number, times: number, headDim: number): Value {
  if (times === 1) return x;
  const copies = graph.op("Expand", [
    reshape(graph, x, [0, 0, numHeads, 1, headDim]),
    graph.constant(BigInt64Array.from([1, 1, 1, times, 1], BigInt)),
  ]);
  return reshape(graph, copies, [0, 0, numHeads * times * headDim]);
}

/** What a token sees of those before it, and by how much more or less. */
type Sight = Pick<Queries, "window" | "chunk" | "bias">;

/** Masks of a pass, so that its layers share them. */
const masks = new WeakMap<ForwardPass, { readonly sight: Sight; readonly mask: Value }[]>();

/**
 * 0, or the bias, where a query at i sees the key at j (0 <= i - j < window, in one part of the text, no padding), else far
 * below any score; [1 or batch, 1 or numHeads, time, keys].
 */
function causalMask(pass: ForwardPass, { window, chunk, bias }: Sight): Value {
  const ofPass = masks.get(pass) ?? [];
  masks.set(pass, ofPass);
  const made = ofPass.find(({ sight }) => sight.window === window && sight.chunk === chunk && sight.bias === bias);
  if (made !== undefined) return made.mask;
  const mask =
    bias === undefined
      ? buildMask(pass, { window, chunk })
      : pass.graph.op("Add", [causalMask(pass, { window, chunk }), bias(pass)]);
  ofPass.push({ sight: { window, chunk, bias }, mask });
  return mask;
}

/** The mask by groups of heads of q, [1 or batch, 1 or numKvHeads, 1 or groups, time, keys]. */
function groupedMask(pass: ForwardPass, queries: Queries): Value {
  const { graph } = pass;
  const mask = causalMask(pass, queries);
  const integers = (...values: number[]) => graph.constant(BigInt64Array.from(values, BigInt));
  if (queries.bias === undefined) return graph.op("Unsqueeze", [mask, integers(1)]);
  const sizes = (start: number, end: number) => graph.op("Shape", [mask], { start, end });
  const groups = integers(queries.numKvHeads, queries.numHeads / queries.numKvHeads);
  return graph.op("Reshape", [mask, graph.op("Concat", [sizes(0, 1), groups, sizes(2, 4)], { axis: 0 })]);
}

function buildMask(pass: ForwardPass, { window, chunk }: Pick<Sight, "window" | "chunk">): Value {
  const { graph, cache } = pass;
  const integers = (...values: number[]) => graph.constant(BigInt64Array.from(values, BigInt));
  const float = (value: number) => graph.constant(Float32Array.of(value), []);
  const distance = distances(pass);
  const later = graph.op("Less", [distance, integers(0)]);
  const outside =
    window === undefined ? later : graph.op("Or", [later, graph.op("GreaterOrEqual", [distance, integers(window)])]);
  const behind = graph.op("Unsqueeze", [outside, integers(0, 1)]);
  const unseen = chunk === undefined ? behind : graph.op("Or", [behind, inOtherChunks(pass, chunk)]);
  if (cache === undefined) return graph.op("Where", [unseen, float(Number.NEGATIVE_INFINITY), float(0)]);
  const padding = graph.op("Unsqueeze", [graph.op("Equal", [cache.attentionMask, integers(0)]), integers(1, 2)]);
  // Not infinite: a query that is padding sees nothing, and NaN in its place would spread over the keys of later layers.
  return graph.op("Where", [graph.op("Or", [padding, unseen]), float(-1e30), float(0)]);
}

/** Whether a query and a key lie in different parts of their text, [1 or batch, 1, time, keys]. */
function inOtherChunks(pass: ForwardPass, chunk: number): Value {
  const { graph, positions, cache } = pass;
  const integers = (...values: number[]) => graph.constant(BigInt64Array.from(values, BigInt));
  const parts = (places: Value) => graph.op("Div", [places, integers(chunk)]);
  // Counted from the text's own beginning: those before padding from 1.
  const keys = cache ? parts(graph.op("Sub", [ordinals(graph, cache), integers(1)])) : parts(positions);
  const queries = cache ? columnsOfPass(pass, keys) : keys;
  const [rows, columns] = cache ? [integers(1, 3), integers(1, 2)] : [integers(0, 1, 3), integers(0, 1, 2)];
  return graph.op("Not", [
    graph.op("Equal", [graph.op("Unsqueeze", [queries, rows]), graph.op("Unsqueeze", [keys, columns])]),
  ]);
}
