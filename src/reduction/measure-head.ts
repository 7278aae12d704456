import { contextValues } from "../compare/context-values.js";
import { inOrder } from "../engine/in-order.js";
import { InputError } from "../errors.js";
import { divergenceSession, type HeadDivergences } from "../measures/divergence-session.js";
import type { Head } from "../model/head.js";
import type { HeadModel } from "../model/head-model.js";
import type { StoredContexts } from "../model/stored-contexts.js";
import { nextTokensOf } from "./measure-reduced.js";
import type { ReductionMeasures } from "./reduction-run.js";

const blockContexts = 512;

export interface MeasureOptions {
  readonly signal?: AbortSignal | undefined;
  /** Contexts measured so far. */
  readonly onProgress?: ((contexts: number) => void) | undefined;
}

/**
 * How another head's output differs from the model's own over stored contexts.
 * @param head of the model's shape, such as one read back from what was written
 * @throws InputError if a head's logits are not finite, or there are no contexts
 */
export async function measureHead(
  { engine, head: original, name }: Pick<HeadModel, "engine" | "head" | "name">,
  head: Head,
  contexts: StoredContexts,
  { signal, onProgress }: MeasureOptions = {},
): Promise<ReductionMeasures> {
  if (contexts.count === 0) throw new InputError(name, "there is no text to measure on");
  const [kl, js] = [contextValues(), contextValues()];
  const sums = { contexts: 0, agreeing: 0, predicted: 0, before: 0, after: 0 };
  const next = nextTokensOf(contexts);
  const session = await divergenceSession(engine, original, head);
  try {
    const measured = inOrder(blocks(contexts.count), session.concurrency, async ({ start, end }) => {
      const hidden = await contexts.read(start, end);
      return { start, found: await session.run(hidden, hidden, next.ids.subarray(start, end)) };
    });
    for await (const { start, found } of measured) {
      signal?.throwIfAborted();
      if (found.kl.some((value) => !Number.isFinite(value))) {
        throw new InputError(name, "its logits or those of the reduced head are not finite; weights overflow float32");
      }
      kl.append(found.kl);
      js.append(found.js);
      add(sums, found, next.counts.subarray(start));
      onProgress?.(sums.contexts);
    }
  } finally {
    await session.release();
  }
  return {
    contexts: sums.contexts,
    kl: kl.spread(),
    js: js.spread(),
    top1: sums.agreeing / sums.contexts,
    perplexity: { before: Math.exp(-sums.before / sums.predicted), after: Math.exp(-sums.after / sums.predicted) },
  };
}

async function* blocks(count: number): AsyncGenerator<{ start: number; end: number }> {
  for (let start = 0; start < count; start += blockContexts)
    yield { start, end: Math.min(start + blockContexts, count) };
}

/** @param counts whether there is a next token in the window */
function add(
  sums: { contexts: number; agreeing: number; predicted: number; before: number; after: number },
  { top1A, top1B, nextLogProbabilityA, nextLogProbabilityB }: HeadDivergences,
  counts: Uint8Array,
): void {
  for (let t = 0; t < top1A.length; t++) {
    sums.contexts++;
    if (top1A[t] === top1B[t]) sums.agreeing++;
    if (counts[t] === 0) continue;
    sums.predicted++;
    sums.before += nextLogProbabilityA[t]!;
    sums.after += nextLogProbabilityB[t]!;
  }
}
