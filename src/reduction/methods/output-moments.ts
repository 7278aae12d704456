import { type Engine, float32Output } from "../../engine/engine.js";
import { gramSession } from "../../engine/gram-session.js";
import { createGraph } from "../../engine/graph.js";
import { inOrder } from "../../engine/in-order.js";
import { outerProducts, outputOuterProducts } from "../../engine/outer-products.js";
import { InputError } from "../../errors.js";
import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import type { Head } from "../../model/head/head.js";
import { transformedWithSlope } from "../../model/head/head-transform.js";
import { readTensorFloat64 } from "../../tensor/safetensors/safetensors.js";
import { tensorRows } from "../../tensor/tensor-rows.js";
import type { Metric } from "./orders.js";

/** What the contexts of a text have in common, float64. */
export interface HiddenMoments {
  /** N. */
  readonly contexts: number;
  /** mean(h), [d]. */
  readonly mean: Float64Array;
  /** cov(h), divided by N, [d, d]; shrunk towards its diagonal by `shrinkage`. */
  readonly covariance: Float64Array;
  /** Share that each off-diagonal number lost; 0 from 2 d contexts on. */
  readonly shrinkage: number;
}

export interface TextSubject {
  readonly head: Head;
  readonly engine: Engine;
  readonly contexts: StoredContexts;
}

const blockContexts = 2048;
/** V-wide numbers held at once. */
const blockNumbers = 2 ** 22;

/**
 * Mean and covariance of the hidden states. With fewer than 2 d contexts the covariance is shrunk towards its diagonal by
 * d / (N + d): it would be singular, or nearly so.
 * @throws InputError if a hidden state is not finite
 */
export async function hiddenMoments({ engine, contexts }: Omit<TextSubject, "head">): Promise<HiddenMoments> {
  const { hiddenSize: d, count } = contexts;
  const mean = new Float64Array(d);
  for (let start = 0; start < count; start += blockContexts) {
    const block = await contexts.read(start, Math.min(start + blockContexts, count));
    for (let at = 0; at < block.length; at += d) {
      for (let i = 0; i < d; i++) mean[i]! += block[at + i]! / count;
    }
  }
  if (!mean.every(Number.isFinite)) throw new InputError("hidden states", "hold numbers that are not finite");
  const covariance = new Float64Array(d * d);
  const { gram, release } = await gramSession(engine);
  try {
    for (let start = 0; start < count; start += blockContexts) {
      const block = await contexts.read(start, Math.min(start + blockContexts, count));
      const centred = Float64Array.from(block, (value, index) => value - mean[index % d]!);
      const part = await gram(centred, block.length / d, d);
      for (let i = 0; i < part.length; i++) covariance[i]! += part[i]! / count;
    }
  } finally {
    await release();
  }
  const shrinkage = count < 2 * d ? d / (count + d) : 0;
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) if (i !== j) covariance[i * d + j]! *= 1 - shrinkage;
  }
  return { contexts: count, mean, covariance, shrinkage };
}

/**
 * The metric in which directions of h are told apart, [d, d] (METHOD.md section 4): `logits`, E'E with E centred over the
 * vocabulary; `fisher`, the mean Fisher information of the softmax, E' diag(alpha) E - mean_t(m_t m_t'), m_t = E' p_t. Where
 * the head transforms its logits, their derivatives stand before E.
 */
export async function outputMetric(
  subject: TextSubject,
  metric: Metric,
  {
    signal,
    onProgress,
  }: { signal?: AbortSignal | undefined; onProgress?: ((contexts: number) => void) | undefined } = {},
): Promise<Float64Array> {
  const { head, engine } = subject;
  if (metric === "logits") return weightedGram(head, engine, undefined);
  const { weights, outer } = await fisherSums(subject, { signal, onProgress });
  const own = await weightedGram(head, engine, weights);
  return own.map((value, index) => value - outer[index]!);
}

/** E' diag(weights) E; without weights E'E, E centred. @returns [d, d] */
async function weightedGram(head: Head, engine: Engine, weights: Float64Array | undefined): Promise<Float64Array> {
  const { vocabSize: V, hiddenSize: d, weight } = head;
  const rows = Math.max(1, Math.min(V, Math.floor(blockNumbers / d)));
  const readBlock = (start: number) => readTensorFloat64(tensorRows(weight, start, Math.min(start + rows, V)));
  const centre = new Float64Array(d);
  if (weights === undefined) {
    for (let start = 0; start < V; start += rows) {
      const block = await readBlock(start);
      for (let i = 0; i < block.length; i++) centre[i % d]! += block[i]! / V;
    }
  }
  const sum = new Float64Array(d * d);
  const { gram, release } = await gramSession(engine);
  try {
    for (let start = 0; start < V; start += rows) {
      const block = await readBlock(start);
      const n = block.length / d;
      for (let w = 0; w < n; w++) {
        const root = weights === undefined ? 1 : Math.sqrt(weights[start + w]!);
        for (let i = 0; i < d; i++) block[w * d + i] = root * (block[w * d + i]! - centre[i]!);
      }
      const part = await gram(block, n, d);
      for (let i = 0; i < part.length; i++) sum[i]! += part[i]!;
    }
  } finally {
    await release();
  }
  return sum;
}

/** Mean over contexts of p_tw slope_tw^2 [V] and of m_t m_t' [d, d], m_t = E' (p_t slope_t). */
async function fisherSums(
  { head, engine, contexts }: TextSubject,
  { signal, onProgress }: { signal?: AbortSignal | undefined; onProgress?: ((contexts: number) => void) | undefined },
) {
  const { vocabSize: V, hiddenSize: d } = head;
  const { count } = contexts;
  const graph = createGraph("fisher", engine);
  const e = graph.weightFloat32(head.weight);
  const hidden = graph.input("hidden", "float32", ["n", d]);
  const raw = graph.op("Gemm", [hidden, e, head.bias && graph.weightFloat32(head.bias)], { transB: 1 });
  const { value: z, slope } = transformedWithSlope(graph, head.transform, raw);
  const p = graph.op("Softmax", [z], { axis: -1 });
  const pushed = slope ? graph.op("Mul", [p, slope]) : p;
  const squared = slope ? graph.op("Mul", [pushed, slope]) : p;
  const axis = graph.constant(BigInt64Array.of(0n), [1]);
  graph.output(graph.op("ReduceSum", [squared, axis], { keepdims: 0 }), "weights", "float32", [V]);
  outputOuterProducts(graph, graph.op("MatMul", [pushed, e]), "outer", d);
  const weights = new Float64Array(V);
  const outer = new Float64Array(d * d);
  const n = Math.max(1, Math.min(blockContexts, Math.floor(blockNumbers / V)));
  const session = await engine.load(graph);
  async function* blocks() {
    for (let start = 0; start < count; start += n) yield await contexts.read(start, Math.min(start + n, count));
  }
  let done = 0;
  try {
    const results = inOrder(blocks(), session.concurrency + 1, async (data) => ({
      read: data.length / d,
      outputs: await session.run({ hidden: { type: "float32", data, dims: [data.length / d, d] } }),
    }));
    for await (const { read, outputs } of results) {
      signal?.throwIfAborted();
      const [part, products] = [float32Output(outputs, "weights"), outerProducts(outputs, "outer")];
      for (let w = 0; w < V; w++) weights[w]! += part[w]! / count;
      for (let i = 0; i < outer.length; i++) outer[i]! += products[i]! / count;
      done += read;
      onProgress?.(done);
    }
  } finally {
    await session.release();
  }
  return { weights, outer };
}
