import type { Engine } from "../../engine/engine.js";
import { inOrder } from "../../engine/in-order.js";
import { divergenceSession, type HeadDivergences } from "../../measures/divergence-session.js";
import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import type { Head } from "../../model/head/head.js";
import type { ReducedHead } from "../../model/head/reduced-head.js";
import { spreadHead } from "../../model/head/spread-head.js";

const blockContexts = 256;

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
  const { count } = contexts;
  const { ids } = nextTokensOf(contexts);
  const session = await divergenceSession(engine, head, await spreadHead({ engine, head }, reduced));
  async function* blocks() {
    for (let start = 0; start < count; start += blockContexts) {
      const end = Math.min(start + blockContexts, count);
      yield { start, end, hidden: await contexts.read(start, end) };
    }
  }
  try {
    const compared = inOrder(blocks(), session.concurrency, async ({ start, end, hidden }) => ({
      divergences: await session.run(hidden, hidden, ids.subarray(start, end)),
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
