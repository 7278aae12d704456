import type { Engine } from "../../../engine/engine.js";
import { float32Output } from "../../../engine/engine.js";
import { createGraph, type Graph } from "../../../engine/graph.js";
import { InputError } from "../../../errors.js";
import { type ContextRows, someContexts } from "../../../model/contexts/stored-contexts.js";
import { type Head, logits } from "../../../model/head/head.js";

export interface Subject<Contexts extends ContextRows = ContextRows> {
  readonly head: Head;
  readonly engine: Engine;
  readonly contexts: Contexts;
}

export interface Watched {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((contexts: number) => void) | undefined;
}

/** A text's hidden states, to be gone through as often as needed. */
export interface TextBlocks {
  /** N. */
  readonly count: number;
  /** h_t block after block, float32 [end - start, d]. @param m how many numbers a context the visit makes */
  eachBlock(m: number, visit: (block: Float32Array, start: number, end: number) => Promise<void> | void): Promise<void>;
}

/** A text to fit edits on: all of it that does not depend on which tokens are edited. */
export interface FittingText extends TextBlocks {
  /** ln sum exp of all logits, [N]. */
  readonly logNormalizer: Float64Array;
  /** The likeliest token [N], and ln sum exp of all logits but its [N]. */
  readonly top: Int32Array;
  readonly restOfTop: Float64Array;
}

/** Contexts of a block of the whole head: V numbers each are held at once. */
const headContexts = 512;
/** Contexts of a block of hidden states as they are read, and of the parts of it that are handed on: powers of 2. */
const blockContexts = 4096;
const fewestContexts = 256;
/** Numbers of such a part, so that they stay in the processor's cache. */
const partNumbers = 2 ** 19;
/** Hidden states up to this size stay in memory; longer texts are read again from where they are stored. */
const heldBytes = 256 * 2 ** 20;

const prepared = new WeakMap<ContextRows, WeakMap<Head, Promise<FittingText>>>();

/** One pass of the whole head over the text, once for each text and head: sweeps and comparisons solve many edits. */
export function fittingText(subject: Subject, watched: Watched = {}): Promise<FittingText> {
  const { contexts, head } = subject;
  const ofHeads = prepared.get(contexts) ?? new WeakMap<Head, Promise<FittingText>>();
  prepared.set(contexts, ofHeads);
  let text = ofHeads.get(head);
  if (text === undefined) {
    text = prepareText(subject, watched);
    ofHeads.set(head, text);
    text.catch(() => ofHeads.delete(head));
  }
  return text;
}

async function prepareText({ head, engine, contexts }: Subject, watched: Watched): Promise<FittingText> {
  const { count, hiddenSize: d } = contexts;
  const logNormalizer = new Float64Array(count);
  const restOfTop = new Float64Array(count);
  const top = new Int32Array(count);
  const graph = createGraph("normalizers", engine);
  const z = logits(graph, head, graph.input("hidden", "float32", ["n", d]));
  const axis = graph.constant(BigInt64Array.of(-1n), [1]);
  const largest = graph.op("ReduceMax", [z, axis], { keepdims: 1 });
  const weight = graph.op("Exp", [graph.op("Sub", [z, largest])]);
  const below = graph.op("Mul", [weight, graph.cast(graph.op("Less", [z, largest]), "float32")]);
  const rowSum = (x: typeof z) => graph.op("ReduceSum", [x, axis], { keepdims: 1 });
  graph.output(largest, "largest", "float32", ["n", 1]);
  graph.output(rowSum(weight), "sum", "float32", ["n", 1]);
  graph.output(rowSum(below), "below", "float32", ["n", 1]);
  const place = graph.op("ArgMax", [z], { axis: -1, keepdims: 1 });
  // Ids up to 2^24 are exact in float32.
  graph.output(graph.cast(place, "float32"), "top", "float32", ["n", 1]);
  await overContexts({ engine, contexts, graph, watched }, (outputs, start) => {
    const [max, sum, lower, likeliest] = ["largest", "sum", "below", "top"].map((name) =>
      float32Output(outputs, name),
    ) as [Float32Array, Float32Array, Float32Array, Float32Array];
    for (let i = 0; i < max.length; i++) {
      const t = start + i;
      logNormalizer[t] = max[i]! + Math.log(sum[i]!);
      if (!Number.isFinite(logNormalizer[t]!)) {
        throw new InputError(head.weight.source.name, "gives logits that are not finite; weights overflow float32");
      }
      // Tokens that share the first place each add 1 to the sum.
      const others = lower[i]! + Math.max(Math.round(sum[i]! - lower[i]!) - 1, 0);
      restOfTop[t] = max[i]! + Math.log(others);
      top[t] = likeliest[i]!;
    }
  });
  return { count, logNormalizer, top, restOfTop, eachBlock: blockReader(contexts) };
}

/**
 * ln sum exp of all logits but those of `ids`, in some contexts [k]: with the whole head, where a difference of sums would
 * lose its digits.
 */
export async function exactRest(
  { head, engine, contexts }: Subject,
  ids: readonly number[],
  places: readonly number[],
  watched: Watched,
): Promise<Float64Array> {
  const { hiddenSize: d } = contexts;
  const mask = new Float32Array(head.vocabSize);
  /** Below every logit, and still finite: its exponential is 0. */
  const never = -1e30;
  for (const id of ids) mask[id] = never;
  const graph = createGraph("rest", engine);
  const z = graph.op("Add", [
    logits(graph, head, graph.input("hidden", "float32", ["n", d])),
    graph.constant(mask, [head.vocabSize]),
  ]);
  const axis = graph.constant(BigInt64Array.of(-1n), [1]);
  const largest = graph.op("ReduceMax", [z, axis], { keepdims: 1 });
  const sum = graph.op("ReduceSum", [graph.op("Exp", [graph.op("Sub", [z, largest])]), axis], { keepdims: 1 });
  graph.output(largest, "largest", "float32", ["n", 1]);
  graph.output(sum, "sum", "float32", ["n", 1]);
  const chosen = someContexts(contexts, places);
  const rest = new Float64Array(places.length);
  await overContexts({ engine, contexts: chosen, graph, watched }, (outputs, start) => {
    const max = float32Output(outputs, "largest");
    const total = float32Output(outputs, "sum");
    for (let i = 0; i < max.length; i++) rest[start + i] = max[i]! + Math.log(total[i]!);
  });
  return rest;
}

/** One text and another behind it. */
export function joinedTexts(first: TextBlocks, second: TextBlocks): TextBlocks {
  const N = first.count;
  return {
    count: N + second.count,
    async eachBlock(m, visit) {
      await first.eachBlock(m, visit);
      await second.eachBlock(m, (block, start, end) => visit(block, N + start, N + end));
    },
  };
}

export function joined(first: Float64Array, second: Float64Array): Float64Array {
  const both = new Float64Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

/** Runs a graph from `hidden` over all contexts, block by block; what it puts out is taken in any order. */
export async function overContexts(
  {
    engine,
    contexts,
    graph,
    watched: { signal, onProgress },
  }: { engine: Engine; contexts: ContextRows; graph: Graph; watched: Watched },
  take: (outputs: Awaited<ReturnType<Awaited<ReturnType<Engine["load"]>>["run"]>>, start: number) => void,
): Promise<void> {
  const { count, hiddenSize: d } = contexts;
  const session = await engine.load(graph);
  let next = 0;
  let done = 0;
  const work = async () => {
    while (next < count) {
      signal?.throwIfAborted();
      const start = next;
      const end = Math.min(start + headContexts, count);
      next = end;
      const data = await contexts.read(start, end);
      take(await session.run({ hidden: { type: "float32", data, dims: [end - start, d] } }), start);
      done += end - start;
      onProgress?.(done);
    }
  };
  try {
    await Promise.all(Array.from({ length: session.concurrency }, work));
  } finally {
    await session.release();
  }
}

function blockReader({ count, hiddenSize, read }: ContextRows): FittingText["eachBlock"] {
  const held: Float32Array[] | undefined = count * hiddenSize * 4 <= heldBytes ? [] : undefined;
  return async (m, visit) => {
    const fitting = 2 ** Math.floor(Math.log2(partNumbers / m));
    const partContexts = Math.min(blockContexts, Math.max(fewestContexts, fitting));
    for (let begin = 0, index = 0; begin < count; begin += blockContexts, index++) {
      const blockEnd = Math.min(begin + blockContexts, count);
      const block = held?.[index] ?? shared(await read(begin, blockEnd));
      if (held) held[index] = block;
      for (let start = begin; start < blockEnd; start += partContexts) {
        const end = Math.min(start + partContexts, blockEnd);
        await visit(block.subarray((start - begin) * hiddenSize, (end - begin) * hiddenSize), start, end);
      }
    }
  };
}

/** A copy that the engine's threads can read without another one, where there are such. */
function shared(block: Float32Array): Float32Array {
  if (typeof SharedArrayBuffer === "undefined") return block;
  const copy = new Float32Array(new SharedArrayBuffer(block.byteLength));
  copy.set(block);
  return copy;
}
