import type { Graph, Value } from "../engine/graph.js";
import type { ForwardPass } from "./architecture.js";
import { reshape, scaled } from "./layers.js";

/** One layer's attention. */
export interface Attention {
  /** [batch, time, heads * size] */
  readonly q: Value;
  /** [batch, time, kvHeads * size], like v; each of its heads serves heads / kvHeads consecutive heads of q. */
  readonly k: Value;
  readonly v: Value;
  readonly heads: number;
  readonly kvHeads: number;
  /** Numbers in one head. */
  readonly size: number;
  /** Factor on q . k. */
  readonly scale: number;
  /** How many positions a token sees, itself included; undefined if all before it. */
  readonly window?: number | undefined;
  /** Scores s become softCap * tanh(s / softCap) before the softmax (Gemma 2). */
  readonly softCap?: number | undefined;
}

/** Causal softmax attention. @returns [batch, time, heads * size] */
export function causalAttention(pass: ForwardPass, attention: Attention): Value {
  return attention.softCap === undefined
    ? fusedAttention(pass, attention)
    : cappedAttention(pass, attention, attention.softCap);
}

function fusedAttention(pass: ForwardPass, { q, k, v, heads, kvHeads, size, scale, window }: Attention): Value {
  const { graph } = pass;
  const repeated = (x: Value) => repeatHeads(graph, x, kvHeads, heads / kvHeads, size);
  const mask = window === undefined ? undefined : causalMask(pass, window);
  return graph.op("MultiHeadAttention", [q, repeated(k), repeated(v), undefined, undefined, mask], {
    num_heads: heads,
    unidirectional: mask === undefined ? 1 : 0,
    scale: { float: scale },
  });
}

/** In single steps: onnxruntime's fused operators with a soft cap were measured up to twice as slow. */
function cappedAttention(
  pass: ForwardPass,
  { q, k, v, heads, kvHeads, size, scale, window }: Attention,
  softCap: number,
): Value {
  const { graph } = pass;
  // [batch, kvHeads, heads of q for each, time, size]
  const perHead = (x: Value, groups: number) =>
    graph.op("Transpose", [reshape(graph, x, [0, 0, kvHeads, groups, size])], { perm: [0, 2, 3, 1, 4] });
  const scores = graph.op("FusedMatMul", [perHead(q, heads / kvHeads), perHead(k, 1)], {
    transB: 1,
    alpha: { float: scale / softCap },
  });
  const capped = scaled(graph, graph.op("Tanh", [scores]), softCap);
  const shares = graph.op("Softmax", [graph.op("Add", [capped, causalMask(pass, window)])], { axis: -1 });
  const attended = graph.op("MatMul", [shares, perHead(v, 1)]);
  return reshape(graph, graph.op("Transpose", [attended], { perm: [0, 3, 1, 2, 4] }), [0, 0, heads * size]);
}

function repeatHeads(graph: Graph, x: Value, heads: number, times: number, size: number): Value {
  if (times === 1) return x;
  const copies = graph.op("Expand", [
    reshape(graph, x, [0, 0, heads, 1, size]),
    graph.constant(BigInt64Array.from([1, 1, 1, times, 1], BigInt)),
  ]);
  return reshape(graph, copies, [0, 0, heads * times * size]);
}

/** Masks of a pass by window, so that its layers share them. */
const masks = new WeakMap<ForwardPass, Map<number | undefined, Value>>();

/** 0 where query position i sees key position j (0 <= i - j < window), else -infinity; [1, 1, time, time]. */
function causalMask(pass: ForwardPass, window: number | undefined): Value {
  const ofPass = masks.get(pass) ?? new Map<number | undefined, Value>();
  masks.set(pass, ofPass);
  const mask = ofPass.get(window) ?? buildMask(pass, window);
  ofPass.set(window, mask);
  return mask;
}

function buildMask({ graph, positions }: ForwardPass, window: number | undefined): Value {
  const integers = (...values: number[]) => graph.constant(BigInt64Array.from(values, BigInt));
  const float = (value: number) => graph.constant(Float32Array.of(value), []);
  const distance = graph.op("Sub", [
    graph.op("Unsqueeze", [positions, integers(1)]),
    graph.op("Unsqueeze", [positions, integers(0)]),
  ]);
  const later = graph.op("Less", [distance, integers(0)]);
  const hidden =
    window === undefined ? later : graph.op("Or", [later, graph.op("GreaterOrEqual", [distance, integers(window)])]);
  const mask = graph.op("Where", [hidden, float(Number.NEGATIVE_INFINITY), float(0)]);
  return graph.op("Unsqueeze", [mask, integers(0, 1)]);
}
