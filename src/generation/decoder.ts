import { type Engine, float32Output, type Session, type Tensor, type Tensors } from "../engine/engine.js";
import { InputError } from "../errors.js";
import { cacheNumbers, emptyCache, nextCache } from "../model/layers/cache-tensors.js";
import { cachedLayers } from "../model/layers/cached-layers.js";
import type { Model } from "../model/model.js";
import { shorterCache } from "./shorter-cache.js";

/** Texts that a model has read so far, side by side; each ends at the last place, shorter ones have padding before them. */
export interface Batch {
  readonly texts: readonly Text[];
  /** Tokens of each text, padding included. */
  readonly width: number;
  /** What the layers left for the next pass, [texts, ...] each. */
  readonly past: Tensors;
  /** What the head multiplies for each text's next token, [texts, d]. */
  readonly hidden: Float32Array;
}

interface Text {
  readonly padding: number;
}

/** A model's layers with key-value cache: each token is computed once, and later ones look at its keys and values. */
export interface Decoder {
  /** Bytes that the cache takes for each token, and for each text besides. */
  readonly bytesPerToken: number;
  readonly bytesPerText: number;
  /** Whether a text's own positions depend on how long the longest one beside it is. */
  readonly dependsOnLength: boolean;
  /** Whether a text of this length, one longer than what is cached, has to be begun again. */
  mustReread(length: number): boolean;
  /** How many batches are worth having under way at once. */
  readonly concurrency: number;
  /** Reads texts from their beginnings. @param texts token ids, at least one each */
  read(texts: readonly ArrayLike<number>[], signal?: AbortSignal): Promise<Batch>;
  /**
   * Takes back the last tokens of each text: what the layers left for the others is kept, not computed again.
   * @param counts how many of each text @returns undefined where that cannot be: states that do not grow hold all tokens in
   *   one, and positions that changed with the text's length changed those of all
   */
  goBack(batch: Batch, counts: readonly number[]): Batch | undefined;
  /** Reads one more token of each. The batch given is used up. */
  extend(batch: Batch, ids: readonly number[]): Promise<Batch>;
  close(): Promise<void>;
}

/** A long text's scores are then a strip, not a square. */
const defaultPlacesPerRun = 256;

/**
 * @param oneAtATime for a single batch: all threads work on each run
 * @param placesPerRun how much of texts is read in one run
 * @throws InputError for a model whose layers take turns
 */
export async function openDecoder(
  { name, description, engine, inTurns }: Pick<Model, "name" | "description" | "engine" | "inTurns">,
  { oneAtATime = false, placesPerRun = defaultPlacesPerRun }: { oneAtATime?: boolean; placesPerRun?: number } = {},
): Promise<Decoder> {
  if (inTurns) {
    const problem = "is larger than the memory that is allowed, and texts are written by all of a model at once";
    throw new InputError(name, `${problem}: raise --max-memory (maxMemory), or have no texts written`);
  }
  const { session, layers } = await loadLayers(engine, description, oneAtATime);
  const { cache, dependsOnLength, rereadAfter } = layers;
  const { perToken, perText } = cacheNumbers(cache);
  const width = description.hiddenSize;

  /** Reads the next `count` places of all texts. */
  async function run(batch: Omit<Batch, "hidden">, ids: BigInt64Array): Promise<Batch> {
    const { texts, past } = batch;
    const fresh = ids.length / texts.length;
    const total = batch.width + fresh;
    const integers = (data: BigInt64Array): Tensor => ({
      type: "int64",
      data,
      dims: [texts.length, data.length / texts.length],
    });
    const outputs = await session.run(
      {
        input_ids: integers(ids),
        attention_mask: integers(rows(texts, 0, total, (place, padding) => (place < padding ? 0n : 1n))),
        // As transformers counts them: tokens from 0, 1 under padding.
        position_ids: integers(
          rows(texts, batch.width, total, (place, padding) => BigInt(place < padding ? 1 : place - padding)),
        ),
        ...past,
      },
      Object.keys(past),
    );
    return { texts, width: total, past: nextCache(cache, outputs), hidden: float32Output(outputs, "last") };
  }

  return {
    bytesPerToken: 4 * perToken,
    bytesPerText: 4 * perText,
    dependsOnLength,
    mustReread: (length) => rereadAfter.includes(length - 1),
    concurrency: session.concurrency,
    async read(given, signal) {
      const longest = Math.max(...given.map(({ length }) => length));
      const texts = given.map(({ length }) => ({ padding: longest - length }));
      // Positions that depend on the length are right only where everything is read at once.
      const perRun = dependsOnLength ? longest : placesPerRun;
      let batch: Batch = { texts, width: 0, past: emptyCache(cache, texts.length), hidden: new Float32Array(width) };
      for (let start = 0; start < longest; start += perRun) {
        signal?.throwIfAborted();
        const end = Math.min(start + perRun, longest);
        const ids = rows(texts, start, end, (place, padding, text) => BigInt(given[text]![place - padding] ?? 0));
        batch = await run(batch, ids);
      }
      return batch;
    },
    goBack(batch, counts) {
      if (counts.every((count) => count === 0)) return batch;
      const lengths = batch.texts.map(({ padding }) => batch.width - padding);
      const kept = lengths.map((length, text) => length - counts[text]!);
      const changed = rereadAfter.some((limit) => lengths.some((length, i) => kept[i]! <= limit && limit < length));
      const past = changed ? undefined : shorterCache(cache, batch, kept);
      if (past === undefined) return undefined;
      const longest = Math.max(...kept);
      return { ...batch, texts: kept.map((length) => ({ padding: longest - length })), width: longest, past };
    },
    extend: (batch, ids) => run(batch, BigInt64Array.from(ids, BigInt)),
    close: () => session.release(),
  };
}

async function loadLayers(engine: Engine, description: Model["description"], oneAtATime: boolean) {
  const layers = cachedLayers("decoder", description, engine);
  const { graph, hidden } = layers;
  const last = graph.constant(BigInt64Array.of(-1n), []);
  graph.output(graph.op("Gather", [hidden, last], { axis: 1 }), "last", "float32", [
    "batch_size",
    description.hiddenSize,
  ]);
  layers.putOut();
  const session: Session = await engine.load(graph, { oneAtATime });
  return { layers, session };
}

/** Some of a batch's texts. @param kept their numbers, ascending */
export function someTexts(batch: Batch, kept: readonly number[]): Batch {
  if (kept.length === batch.texts.length) return batch;
  const past = Object.entries(batch.past).map(([name, tensor]) => {
    const [texts, ...shape] = tensor.dims as [number, ...number[]];
    const size = tensor.data.length / texts;
    const data = new Float32Array(kept.length * size);
    kept.forEach((text, index) => {
      data.set(tensor.data.subarray(text * size, (text + 1) * size) as Float32Array, index * size);
    });
    return [name, { type: "float32" as const, data, dims: [kept.length, ...shape] }];
  });
  return { ...batch, texts: kept.map((text) => batch.texts[text]!), past: Object.fromEntries(past) };
}

/** A number for each place from start to end, text by text. */
function rows(
  texts: readonly Text[],
  start: number,
  end: number,
  value: (place: number, padding: number, text: number) => bigint,
): BigInt64Array {
  const count = end - start;
  return BigInt64Array.from({ length: texts.length * count }, (_, index) => {
    const text = Math.floor(index / count);
    return value(start + (index % count), texts[text]!.padding, text);
  });
}
