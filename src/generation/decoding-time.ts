import type { Graph } from "../engine/graph.js";
import type { BeforeAfter } from "../measures/before-after.js";
import { logitsGraph } from "../model/head/head-model.js";
import type { Model } from "../model/model.js";
import { openDecoder } from "./decoder.js";

/** Tokens that are read before the first that is timed. */
const readTokens = 64;
const timedTokens = 120;
/** The first ones find cold caches. */
const warmUp = 4;

/**
 * Milliseconds per token, one text at a time with key-value cache: of the head, and of a whole decoding step, with the
 * model's own head and with another in turn on the same hidden states. Medians.
 * @param other `hidden`, float32 [rows, d], to logits
 */
export async function decodingTime(
  model: Model,
  other: Graph,
  signal?: AbortSignal | undefined,
): Promise<{ head: BeforeAfter; step: BeforeAfter }> {
  const { engine, head, hiddenSize, vocabSize, maxPositions = Number.POSITIVE_INFINITY } = model;
  const options = { oneAtATime: true };
  const decoder = await openDecoder(model, options);
  const heads = [await engine.load(logitsGraph(head, engine), options), await engine.load(other, options)] as const;
  const [layers, before, after]: [number[], number[], number[]] = [[], [], []];
  try {
    const tokens = Math.min(timedTokens, maxPositions - 1);
    const first = Math.max(1, Math.min(readTokens, maxPositions - tokens));
    const anyToken = (place: number) => (place * 7) % vocabSize;
    let batch = await decoder.read([Int32Array.from({ length: first }, (_, place) => anyToken(place))], signal);
    for (let token = 0; token < tokens; token++) {
      signal?.throwIfAborted();
      layers.push(
        await milliseconds(async () => {
          batch = await decoder.extend(batch, [anyToken(first + token)]);
        }),
      );
      const feeds = { hidden: { type: "float32" as const, data: batch.hidden, dims: [1, hiddenSize] } };
      const turns = [() => timed(0, before), () => timed(1, after)];
      const timed = async (which: 0 | 1, times: number[]) => {
        times.push(await milliseconds(() => heads[which].run(feeds)));
      };
      // The one that comes second finds the caches as the other left them.
      for (const turn of token % 2 ? turns : turns.reverse()) await turn();
    }
  } finally {
    await decoder.close();
    for (const session of heads) await session.release();
  }
  const [layer, own, less] = [layers, before, after].map((times) => median(times.slice(warmUp))) as [
    number,
    number,
    number,
  ];
  return { head: { before: own, after: less }, step: { before: layer + own, after: layer + less } };
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

function median(values: readonly number[]): number {
  const rising = [...values].sort((a, b) => a - b);
  return rising[Math.floor(rising.length / 2)] ?? Number.NaN;
}
