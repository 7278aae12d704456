import { inOrder } from "../../engine/in-order.js";
import { InputError } from "../../errors.js";
import { divergenceSession } from "../../measures/divergence-session.js";
import { divergenceSums, firstNonFinite } from "../../measures/divergence-sums.js";
import type { StoredContexts } from "../../model/contexts/stored-contexts.js";
import type { Head } from "../../model/head/head.js";
import type { HeadModel } from "../../model/head/head-model.js";
import type { ReductionMeasures } from "../reduction-run.js";
import { nextTokensOf } from "./measure-reduced.js";

const blockContexts = 512;

/** Contexts [start, end). */
export interface ContextRange {
  readonly start: number;
  readonly end: number;
}

/** Which of the stored contexts are measured. */
export interface MeasureOptions {
  /** Default: all. */
  readonly range?: ContextRange | undefined;
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
  { signal, onProgress, range = { start: 0, end: contexts.count } }: MeasureOptions = {},
): Promise<ReductionMeasures> {
  if (range.end <= range.start) throw new InputError(name, "there is no text to measure on");
  const sums = divergenceSums(original.vocabSize);
  const next = nextTokensOf(contexts);
  const session = await divergenceSession(engine, original, head);
  try {
    const measured = inOrder(contextBlocks(range), session.concurrency, async ({ start, end }) => {
      const hidden = await contexts.read(start, end);
      return { start, found: await session.run(hidden, hidden, next.ids.subarray(start, end)) };
    });
    for await (const { start, found } of measured) {
      signal?.throwIfAborted();
      if (firstNonFinite(found) >= 0) {
        throw new InputError(name, "its logits or those of the reduced head are not finite; weights overflow float32");
      }
      sums.add(found, (t) => next.counts[start + t] === 1);
      onProgress?.(sums.contexts);
    }
  } finally {
    await session.release();
  }
  const { contexts: count, kl, js, top1Agreement, perplexity } = sums.result();
  return { contexts: count, kl, js, top1: top1Agreement, perplexity: { before: perplexity.a, after: perplexity.b } };
}

/** So many contexts as are measured at once, one block after another. */
export async function* contextBlocks({ start: first, end: last }: ContextRange): AsyncGenerator<ContextRange> {
  for (let start = first; start < last; start += blockContexts) {
    yield { start, end: Math.min(start + blockContexts, last) };
  }
}
