import type { Engine } from "../../engine/engine.js";
import { inOrder } from "../../engine/in-order.js";
import { divergenceSession, type HeadDivergences } from "../../measures/divergence-session.js";
import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import type { Head } from "../../model/head/head.js";
import type { ReducedHead } from "../../model/head/reduced-head.js";
import { memoryTensor } from "../../tensor/memory-tensor.js";

const blockContexts = 256;

/** A reduced head as a head of its own: it multiplies what `partsOf` makes of h. */
function factoredHead(head: Head, { factor, bias, kept }: ReducedHead): Head {
  const { vocabSize } = head;
  return {
    ...head,
    weight: memoryTensor("lm_head.factor", "F32", [vocabSize, kept], factor),
    bias: memoryTensor("lm_head.factor.bias", "F32", [vocabSize], bias),
    hiddenSize: kept,
    tied: false,
  };
}

/** P h, float32 [n, k]. @param hidden h, [n, d] */
function partsOf({ coordinates, projection, kept: k }: ReducedHead, hidden: Float32Array, d: number): Float32Array {
  const n = hidden.length / d;
  const parts = new Float32Array(n * k);
  for (let t = 0; t < n; t++) {
    for (let j = 0; j < k; j++) {
      if (coordinates) parts[t * k + j] = hidden[t * d + coordinates[j]!]!;
      else {
        let sum = 0;
        for (let i = 0; i < d; i++) sum += projection![j * d + i]! * hidden[t * d + i]!;
        parts[t * k + j] = sum;
      }
    }
  }
  return parts;
}

/** The token after each context in its window; the last of a window has itself, and does not count. */
export function nextTokensOf({ tokenIds, windowStarts, count }: StoredContexts): {
  ids: Int32Array;
  counts: Uint8Array;
} {
  const ids = Int32Array.from({ length: count }, (_, t) => tokenIds[Math.min(t + 1, count - 1)]!);
  const counts = new Uint8Array(count).fill(1);
  for (const start of windowStarts) if (start > 0) counts[start - 1] = 0;
  return { ids, counts };
}

/** Calls `take` with how the reduced head differs from the original, block after block of contexts. */
export async function eachDivergence(
  { head, engine, contexts }: { head: Head; engine: Engine; contexts: StoredContexts },
  reduced: ReducedHead,
  take: (divergences: HeadDivergences, start: number, end: number) => void,
  signal?: AbortSignal | undefined,
): Promise<void> {
  const { count, hiddenSize: d } = contexts;
  const { ids } = nextTokensOf(contexts);
  const session = await divergenceSession(engine, head, factoredHead(head, reduced));
  async function* blocks() {
    for (let start = 0; start < count; start += blockContexts) {
      const end = Math.min(start + blockContexts, count);
      yield { start, end, hidden: await contexts.read(start, end) };
    }
  }
  try {
    const compared = inOrder(blocks(), session.concurrency, async ({ start, end, hidden }) => ({
      divergences: await session.run(hidden, partsOf(reduced, hidden, d), ids.subarray(start, end)),
      ...{ start, end },
    }));
    for await (const { divergences, start, end } of compared) {
      signal?.throwIfAborted();
      take(divergences, start, end);
    }
  } finally {
    await session.release();
  }
}
