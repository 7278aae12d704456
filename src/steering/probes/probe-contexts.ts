import { float32Output, type Tensor, type Tensors } from "../../engine/engine.js";
import { inOrder } from "../../engine/in-order.js";
import { permutation, type Random, seededRandom } from "../../linalg/random.js";
import type { ContextRows } from "../../model/contexts/stored-contexts.js";
import { cacheNumbers, emptyCache, nextCache } from "../../model/layers/cache-tensors.js";
import { cachedLayers } from "../../model/layers/cached-layers.js";
import type { Model } from "../../model/model.js";
import { memoryStore, type RowStore } from "../../model/pass/row-store.js";

/** Contexts that no text holds (METHOD.md, "Probes"), each with the tokens that lead to it. */
export interface Probes extends ContextRows {
  /** Token ids of context `index` from its beginning, the last one included. */
  idsOf(index: number): Int32Array;
  /** How many tokens of the vocabulary stand behind each beginning: all V, or an even sample of it, another for each. */
  readonly appended: number;
  /** Beginnings that they stand behind. */
  readonly beginnings: readonly Int32Array[];
}

export interface ProbeOptions {
  /** Token ids of the fitting text, and of unseen text where there is some: beginnings are parts of them. */
  readonly fit: Int32Array;
  readonly unseen?: Int32Array | undefined;
  /** Ids that may stand in a context, ascending: those that the tokenizer produces. */
  readonly ids: Int32Array;
  /**
   * Contexts of all beginnings together, at most: of a larger vocabulary an even sample is appended. Default 20,480; of fewer,
   * the made-up texts are fewer in proportion.
   */
  readonly most?: number | undefined;
  /** Of the places that beginnings are taken from, and of random tokens. Default 0. */
  readonly seed?: number | undefined;
  /** Where the hidden states are kept. Default: memory. */
  readonly store?: RowStore | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((contexts: number, total: number) => void) | undefined;
}

const defaultMost = 20_480;
/** Tokens of a beginning: enough to be one, few enough that its keys and values are cheap to repeat. */
const beginningTokens = 8;
/** Texts of random tokens, and texts of one token over and over, beside the default number of other contexts. */
const randomTexts = 32;
const repeatedTexts = 96;
const textTokens = 32;
/** Bytes of keys and values that a run takes in. */
const cacheBytes = 2 ** 25;
const mostPerRun = 256;
const fewestPerRun = 8;

/**
 * Contexts made rather than found: beginnings (two from the fitting text, one from unseen text, none at all, random tokens),
 * each followed by every token of the vocabulary; texts of random tokens; texts of one token repeated.
 * @returns their hidden states; the same options give the same contexts
 */
export async function probeContexts(model: Model, options: ProbeOptions): Promise<Probes> {
  const { fit, unseen, ids, most = defaultMost, seed = 0, store = memoryStore(), signal, onProgress } = options;
  const random = seededRandom(seed);
  const longest = model.maxPositions ?? Number.POSITIVE_INFINITY;
  const length = Math.max(0, Math.min(beginningTokens, longest - 1));
  const beginnings = [
    ...[fit, fit, unseen ?? fit].map((text) => partOf(text, length, random)),
    new Int32Array(0),
    randomIds(ids, length, random),
  ];
  const each = Math.max(1, Math.min(ids.length, Math.floor(most / beginnings.length)));
  const appended = beginnings.map((_, b) => evenly(ids, each, b / beginnings.length));
  const texts = (usual: number) => Math.max(1, Math.round(usual * Math.min(1, most / defaultMost)));
  const windows = [
    ...Array.from({ length: texts(randomTexts) }, () => randomIds(ids, Math.min(textTokens, longest), random)),
    ...repeated(ids, texts(repeatedTexts), Math.min(textTokens, longest), random),
  ];
  const { layers, lastOnly } = await openLastLayer(model);
  const contextsOf = (window: Int32Array) => (lastOnly ? 1 : window.length);
  const total = windows.reduce((sum, window) => sum + contextsOf(window), beginnings.length * each);
  let done = 0;
  const take = async (hidden: Float32Array) => {
    signal?.throwIfAborted();
    await store.append(hidden);
    done += hidden.length / model.hiddenSize;
    onProgress?.(done, total);
  };
  try {
    const joined = beginnings.flatMap((beginning, b) => Array.from(appended[b]!, (id) => joinedIds(beginning, id)));
    for (const [b, beginning] of layers ? beginnings.entries() : []) {
      for await (const hidden of extended(layers!, beginning, appended[b]!)) await take(hidden);
    }
    const texts = [
      ...(layers ? [] : joined.map((window) => ({ window, contexts: 1 }))),
      ...windows.map((window) => ({ window, contexts: contextsOf(window) })),
    ];
    for await (const hidden of hiddenOf(model, texts, signal)) await take(hidden);
  } catch (error) {
    await store.release();
    throw error;
  } finally {
    await layers?.close();
  }
  const d = model.hiddenSize;
  return {
    count: total,
    hiddenSize: d,
    ...{ appended: each, beginnings },
    idsOf(index) {
      const b = Math.floor(index / each);
      if (b < beginnings.length) return joinedIds(beginnings[b]!, appended[b]![index % each]!);
      let place = index - beginnings.length * each;
      for (const window of windows) {
        const contexts = contextsOf(window);
        if (place < contexts) return window.slice(0, window.length - contexts + place + 1);
        place -= contexts;
      }
      throw new RangeError(`there are ${total} probes; ${index} is none of them`);
    },
    read: (start, end) => store.read(start * d, end * d),
    release: () => store.release(),
  };
}

/** Hidden states after a beginning and each of the tokens. */
async function* extended(layers: LastLayer, beginning: Int32Array, appended: Int32Array): AsyncGenerator<Float32Array> {
  const past = await layers.read(beginning);
  const parts = slices(appended, layers.perRun(beginning.length));
  yield* inOrder(items(parts), layers.concurrency, (part) => layers.extend(past, beginning.length, part));
}

/** Hidden states of the last contexts of windows. */
async function* hiddenOf(
  model: Model,
  texts: readonly { readonly window: Int32Array; readonly contexts: number }[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Float32Array> {
  const d = model.hiddenSize;
  const pass = await model.pass(items(texts.map(({ window }) => window)), { signal });
  let next = 0;
  try {
    yield* inOrder(pass.batches, model.engine.threads + 1, async (part) => {
      const counts = texts.slice(next, next + part.count).map(({ contexts }) => contexts);
      next += part.count;
      const hidden = await pass.hiddenOf(part);
      const last = new Float32Array(d * counts.reduce((sum, count) => sum + count, 0));
      let at = 0;
      for (const [i, count] of counts.entries()) {
        const end = (i + 1) * part.length * d;
        last.set(hidden.subarray(end - count * d, end), at);
        at += count * d;
      }
      return last;
    });
  } finally {
    await pass.release();
  }
}

/** The layers with keys and values of one beginning, which many tokens stand behind. */
interface LastLayer {
  readonly concurrency: number;
  /** Tokens that one run takes behind a beginning of so many. */
  perRun(beginning: number): number;
  read(beginning: Int32Array): Promise<Tensors>;
  extend(past: Tensors, length: number, ids: Int32Array): Promise<Float32Array>;
  close(): Promise<void>;
}

/**
 * @returns no layers for models whose cached keys do not stay right as a text grows, of whose texts the last context alone is
 * what the model has after those tokens; and none for models whose layers take turns
 */
async function openLastLayer({
  description,
  engine,
  inTurns,
}: Pick<Model, "description" | "engine" | "inTurns">): Promise<{ layers?: LastLayer; lastOnly: boolean }> {
  const reading = cachedLayers("beginning", description, engine);
  if (reading.dependsOnLength || inTurns) return { lastOnly: reading.dependsOnLength };
  reading.putOut();
  const extending = cachedLayers("probes", description, engine);
  extending.graph.output(extending.hidden, "hidden", "float32", [
    "batch_size",
    "sequence_length",
    description.hiddenSize,
  ]);
  const { cache } = extending;
  const { perToken, perText } = cacheNumbers(cache);
  const [reader, session] = await Promise.all([engine.load(reading.graph), engine.load(extending.graph)]);
  const layers: LastLayer = {
    concurrency: session.concurrency,
    perRun: (length) =>
      Math.min(
        mostPerRun,
        Math.max(fewestPerRun, Math.floor(cacheBytes / (4 * (perToken * Math.max(1, length) + perText)))),
      ),
    async read(beginning) {
      const none = emptyCache(cache, 1);
      if (beginning.length === 0) return none;
      return nextCache(cache, await reader.run({ ...oneByOne([beginning], 0), ...none }));
    },
    async extend(past, length, ids) {
      const texts = Array.from(ids, (id) => Int32Array.of(id));
      const repeatedPast = Object.entries(past).map(([name, tensor]) => [name, repeatedTensor(tensor, ids.length)]);
      const feeds: Tensors = { ...oneByOne(texts, length), ...Object.fromEntries(repeatedPast) };
      const outputs = await session.run(feeds, Object.keys(feeds));
      return float32Output(outputs, "hidden");
    },
    async close() {
      await Promise.all([reader.release(), session.release()]);
    },
  };
  return { layers, lastOnly: false };
}

/** Inputs of texts of one length that follow so many tokens each. */
function oneByOne(texts: readonly Int32Array[], before: number): Tensors {
  const fresh = texts[0]!.length;
  const integers = (width: number, value: (text: number, place: number) => number): Tensor => ({
    type: "int64",
    data: BigInt64Array.from({ length: texts.length * width }, (_, i) =>
      BigInt(value(Math.floor(i / width), i % width)),
    ),
    dims: [texts.length, width],
  });
  return {
    input_ids: integers(fresh, (text, place) => texts[text]![place]!),
    attention_mask: integers(before + fresh, () => 1),
    position_ids: integers(fresh, (_, place) => before + place),
  };
}

function repeatedTensor(tensor: Tensor, times: number): Tensor {
  const data = new Float32Array(times * tensor.data.length);
  for (let i = 0; i < times; i++) data.set(tensor.data as Float32Array, i * tensor.data.length);
  return { type: "float32", data, dims: [times, ...tensor.dims.slice(1)] };
}

function partOf(text: Int32Array, length: number, random: Random): Int32Array {
  const start = Math.floor(random() * Math.max(1, text.length - length + 1));
  return text.slice(start, start + length);
}

const randomIds = (ids: Int32Array, length: number, random: Random): Int32Array =>
  Int32Array.from({ length }, () => ids[Math.floor(random() * ids.length)]!);

function repeated(ids: Int32Array, texts: number, length: number, random: Random): Int32Array[] {
  const order = permutation(ids.length, random);
  return Array.from(order.subarray(0, texts), (place) => new Int32Array(length).fill(ids[place]!));
}

/** So many of the ids, evenly spread. @param shift from 0 to 1: which of those between two others */
const evenly = (ids: Int32Array, count: number, shift: number): Int32Array =>
  Int32Array.from({ length: count }, (_, i) => ids[Math.floor(((i + shift) * ids.length) / count)]!);

function joinedIds(beginning: Int32Array, id: number): Int32Array {
  const ids = new Int32Array(beginning.length + 1);
  ids.set(beginning);
  ids[beginning.length] = id;
  return ids;
}

function slices(ids: Int32Array, size: number): Int32Array[] {
  return Array.from({ length: Math.ceil(ids.length / size) }, (_, i) => ids.subarray(i * size, (i + 1) * size));
}

async function* items<Item>(list: Iterable<Item>): AsyncGenerator<Item> {
  yield* list;
}
