import type { Engine } from "../engine/engine.js";
import { float32Output } from "../engine/engine.js";
import { createGraph } from "../engine/graph.js";
import { dot } from "../linalg/dot.js";
import { type Head, type HeadTransform, logits } from "../model/head.js";
import type { StoredContexts } from "../model/stored-contexts.js";
import { readTensorFloat64 } from "../tensor/safetensors.js";

/** Contexts of a block: V numbers each are held at once. */
const blockContexts = 512;
/** Below every logit, and still finite: its exponential is 0. */
const never = -1e30;

/** All that an edit of m rows needs to know of the head besides h_t. */
export interface EditedLogits {
  /** E_w of the edited tokens, [m, d]. */
  readonly rows: Float64Array;
  /** E_w h_t + b_w before the head's transform, [m, N]. */
  readonly raw: Float64Array;
  /** ln sum exp of all other tokens' logits, [N]: taken over them alone, since 1 - p_t loses its digits near p_t = 1. */
  readonly rest: Float64Array;
}

/** One pass of the whole head over the text. @param ids the edited tokens, [m] */
export async function editedLogits(
  { head, engine, contexts }: { head: Head; engine: Engine; contexts: StoredContexts },
  ids: readonly number[],
  { signal, onProgress }: { signal?: AbortSignal | undefined; onProgress?: ((contexts: number) => void) | undefined },
): Promise<EditedLogits> {
  const { hiddenSize: d, vocabSize } = head;
  const { count } = contexts;
  const rows = await gatherRows(head, ids);
  const bias = head.bias && (await readTensorFloat64(head.bias));
  const mask = new Float32Array(vocabSize);
  for (const id of ids) mask[id] = never;
  const graph = createGraph("rest");
  const hidden = graph.input("hidden", "float32", ["n", d]);
  const z = graph.op("Add", [logits(graph, head, hidden), graph.constant(mask, [vocabSize])]);
  const axis = graph.constant(BigInt64Array.of(1n), [1]);
  const largest = graph.op("ReduceMax", [z, axis], { keepdims: 1 });
  const sum = graph.op("ReduceSum", [graph.op("Exp", [graph.op("Sub", [z, largest])]), axis], { keepdims: 1 });
  graph.output(graph.op("Add", [largest, graph.op("Log", [sum])]), "rest", "float32", ["n", 1]);
  const session = await engine.load(graph);
  const raw = new Float64Array(ids.length * count);
  const rest = new Float64Array(count);
  let next = 0;
  let done = 0;
  const work = async () => {
    while (next < count) {
      signal?.throwIfAborted();
      const start = next;
      const end = Math.min(start + blockContexts, count);
      next = end;
      const block = await contexts.read(start, end);
      const wide = Float64Array.from(block);
      const outputs = await session.run({ hidden: { type: "float32", data: block, dims: [end - start, d] } });
      rest.set(float32Output(outputs, "rest"), start);
      for (let j = 0; j < ids.length; j++) {
        const b = bias?.[ids[j]!] ?? 0;
        for (let t = start; t < end; t++) raw[j * count + t] = b + dot(rows, j * d, wide, (t - start) * d, d);
      }
      done += end - start;
      onProgress?.(done);
    }
  };
  try {
    await Promise.all(Array.from({ length: session.concurrency }, work));
  } finally {
    await session.release();
  }
  return { rows, raw, rest };
}

/** The head's transform and its derivative at z = E h + b. */
export function transform(
  { scale = 1, softCap }: HeadTransform,
  z: number,
): { readonly value: number; readonly slope: number } {
  if (softCap === undefined) return { value: scale * z, slope: scale };
  const bounded = Math.tanh((scale * z) / softCap);
  return { value: softCap * bounded, slope: scale * (1 - bounded * bounded) };
}

/** Of the head's weight, only the rows asked for are read. */
async function gatherRows({ weight, hiddenSize: d }: Head, ids: readonly number[]): Promise<Float64Array> {
  const byteLength = weight.byteLength / weight.shape[0]!;
  const rows = new Float64Array(ids.length * d);
  for (const [j, id] of ids.entries()) {
    const row = { ...weight, shape: [d], offset: weight.offset + id * byteLength, byteLength };
    rows.set(await readTensorFloat64(row), j * d);
  }
  return rows;
}
