import { type Engine, float32Output, type Session, type Tensors } from "../../engine/engine.js";
import type { Graph } from "../../engine/graph.js";
import { inOrder } from "../../engine/in-order.js";
import type { LayerRange, ModelDescription } from "../architecture.js";
import { carriedBatch } from "./carried-batch.js";
import { partGraph, streamName, widthBehind } from "./layer-parts.js";
import type { RowStore } from "./row-store.js";
import type { ReachedStates, StatePlace, StateRows } from "./state-place.js";
import { type Windows, windowFeeds } from "./window-batches.js";

/** A model whose layers take turns. */
export interface PartedModel {
  readonly name: string;
  readonly engine: Engine;
  readonly description: ModelDescription;
}

/** Largest change of hidden states by rounding between layers, as a share of their largest magnitude, in some contexts. */
export interface StateError {
  readonly share: number;
  readonly contexts: number;
}

/** How far a pass in parts is: through layers `first` up to `end` of `of`, so many contexts of all. */
export interface PartProgress extends LayerRange {
  readonly of: number;
  readonly done: number;
  readonly total: number;
}

/** What a pass in parts is given. */
export interface TurnOptions {
  /** Where hidden states lie between parts. */
  readonly place: StatePlace;
  /** What an interrupted pass had reached. */
  readonly reached?: ReachedStates | undefined;
  /** Called before a part's weights are read. @throws InputError if they cannot be used */
  readonly checkWeights?: ((weights: Graph["weights"]) => Promise<void>) | undefined;
  readonly onProgress?: ((progress: PartProgress) => void) | undefined;
  /** Told how much float16 between the layers changed. */
  readonly onError?: ((error: StateError) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs all windows through a part of the layers, releases it, and goes on with the next: each weight is read once,
 * however long the text is.
 * @param parts all layers in their order
 * @returns what the head multiplies, rows of d numbers in the order of the contexts
 * @throws the signal's reason when it is aborted
 */
export async function throughParts(
  { engine, description }: PartedModel,
  batches: readonly Windows[],
  parts: readonly LayerRange[],
  options: TurnOptions,
): Promise<StateRows> {
  const { place, reached } = options;
  const rows = contextsIn(batches);
  const error = place.type === "float16" && reached === undefined ? carriedBatch() : undefined;
  let states = reached?.states;
  try {
    for (const part of parts) {
      if (reached !== undefined && part.end <= reached.layers) continue;
      const graph = partGraph(description, part, engine);
      await options.checkWeights?.(graph.weights);
      const session = await engine.load(graph);
      const size = { layers: part.end, rows, width: widthBehind(description, part.end) };
      const next = await place.create(size).catch(async (problem) => {
        await session.release();
        throw problem;
      });
      try {
        const width = widthBehind(description, part.first);
        const run: RunBatch = (batch, input) => runBatch(session, batch, input, width);
        const work = { batches, states, next, width, concurrency: session.concurrency + 1 };
        await throughPart(run, work, { ...part, of: parts.at(-1)!.end, done: 0, total: rows }, options);
        await error?.carry((input) => run(batches[0]!, input));
        await session.release();
        await next.complete();
      } catch (problem) {
        await Promise.all([session.release(), next.release()]);
        throw problem;
      }
      await states?.release();
      states = next;
    }
    const contexts = batches[0]!.tokenIds.length;
    if (error !== undefined) {
      options.onError?.({ contexts, share: error.of(await states!.read(0, contexts * description.hiddenSize)) });
    }
    return states!;
  } catch (problem) {
    await (options.signal?.aborted ? states?.leave() : states?.release());
    throw problem;
  }
}

/** How many contexts windows have. */
export const contextsIn = (batches: readonly Windows[]): number =>
  batches.reduce((total, { tokenIds }) => total + tokenIds.length, 0);

type RunBatch = (batch: Windows, input: Float32Array | undefined) => Promise<Float32Array>;

/** Runs all windows through the layers that are loaded. */
async function throughPart(
  run: RunBatch,
  work: {
    readonly batches: readonly Windows[];
    readonly states: RowStore | undefined;
    readonly next: RowStore;
    readonly width: number;
    readonly concurrency: number;
  },
  progress: PartProgress,
  { signal, onProgress }: TurnOptions,
): Promise<void> {
  const { states, next, width } = work;
  const results = inOrder(placedBatches(work.batches), work.concurrency, async ({ batch, start }) => {
    const end = start + batch.tokenIds.length;
    return { hidden: await run(batch, await states?.read(start * width, end * width)), done: end };
  });
  onProgress?.(progress);
  for await (const { hidden, done } of results) {
    signal?.throwIfAborted();
    await next.append(hidden);
    onProgress?.({ ...progress, done });
  }
}

async function runBatch(
  session: Session,
  batch: Windows,
  input: Float32Array | undefined,
  width: number,
): Promise<Float32Array> {
  const dims = [batch.count, batch.length, width];
  const stream: Tensors = input === undefined ? {} : { [streamName]: { type: "float32", data: input, dims } };
  return float32Output(await session.run({ ...windowFeeds(batch), ...stream }), "hidden");
}

/** Batches with where the first of their contexts stands. */
async function* placedBatches(batches: readonly Windows[]): AsyncGenerator<{ batch: Windows; start: number }> {
  let start = 0;
  for (const batch of batches) {
    yield { batch, start };
    start += batch.tokenIds.length;
  }
}
