import { float32Output, type Session, type Tensors } from "../engine/engine.js";
import { inOrder } from "../engine/in-order.js";
import { outerProducts } from "../engine/outer-products.js";
import { untilAborted } from "../engine/until-aborted.js";
import { InputError } from "../errors.js";
import { type Head, isTransformed } from "../model/head/head.js";
import type { HeadModel } from "../model/head/head-model.js";
import type { Model } from "../model/model.js";
import type { StatePlace } from "../model/pass/state-place.js";
import type { Windows } from "../model/pass/window-batches.js";
import { type CollectedSums, contextsOf, endWindow, finished, noSums } from "./collected-sums.js";
import { headStatisticsGraph, topSizes } from "./head-graph.js";
import { type ContextSums, groupCount, type HeadStatistics } from "./head-statistics.js";

/** Numbers in one V-wide block (16 MB as float32): bounds memory whatever the vocabulary. */
const maxBlockNumbers = 2 ** 22;

/** Contexts of one window of hidden states that were computed elsewhere, whose text's own windows are not known. */
const hiddenWindow = 256;

/** Where a pass goes on from, and who is told of its progress. */
export interface CollectOptions {
  /** Index in the text of the first window given. Default 0. */
  firstWindow?: number | undefined;
  /** Goes on from what a pass over the first of the windows had reached, in place. */
  resume?: CollectedSums | undefined;
  /** Where hidden states of models whose layers take turns lie. Default: as the model was opened. */
  place?: StatePlace | undefined;
  /** Called after each batch of windows has been added, in the text's order. */
  onBatch?: ((reached: CollectedSums) => void | Promise<void>) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Runs a text through the model once and sums what the head puts out (METHOD.md section 1). Memory does not grow with
 * the text.
 *
 * Sums are formed in float32 inside one window, in float64 over the windows of a block of 64 by their index in the text, and
 * blocks are merged (`merge`) one after the other. So a text cut at a multiple of 64 windows, collected in parts and merged
 * gives the same bits on processors of one type; cut elsewhere, the same but for rounding.
 * @param windows token ids of each window; every position is a context
 * @throws the signal's reason when it is aborted
 */
export async function collectStatistics(
  model: Model,
  windows: AsyncIterable<Int32Array>,
  { firstWindow = 0, resume, place, onBatch, signal }: CollectOptions = {},
): Promise<HeadStatistics> {
  const { head } = model;
  const sums = resume ?? noSums({ ...head, transformed: isTransformed(head) }, firstWindow);
  const skip = sums.nextWindow - firstWindow;
  const pass = await model.pass(signal ? untilAborted(windows, signal) : windows, { skip, place, signal });
  let session: Session | undefined;
  try {
    session = await model.engine.load(headStatisticsGraph(head, model.engine));
    const loaded = session;
    const batches = inOrder(pass.batches, session.concurrency + 1, async (part) => ({
      part,
      reduced: await reduce(loaded, head, part, await pass.hiddenOf(part)),
    }));
    for await (const { part, reduced } of batches) {
      signal?.throwIfAborted();
      for (const [window, outputs] of reduced.entries()) {
        const ids = part.tokenIds.subarray(window * part.length, (window + 1) * part.length);
        for (const id of ids) sums.block.tokenCounts[id]! += 1;
        addWindow(model, sums, outputs);
      }
      await onBatch?.(sums);
    }
  } finally {
    await Promise.all([session?.release(), pass.release()]);
  }
  return finished(sums);
}

/**
 * The same sums from hidden states that were computed elsewhere; of the text's own tokens nothing is known. 256 contexts, one
 * after the other, are taken for a window, however the blocks are cut.
 * @param blocks hidden states, float32 [contexts, d]
 */
export async function collectFromHidden(
  model: HeadModel,
  blocks: AsyncIterable<Float32Array>,
  {
    firstWindow = 0,
    signal,
    onWindow,
  }: Pick<CollectOptions, "firstWindow" | "signal"> & { onWindow?: ((contexts: number) => void) | undefined } = {},
): Promise<HeadStatistics> {
  const { head, engine } = model;
  const sums = noSums({ ...head, transformed: isTransformed(head) }, firstWindow);
  const session = await engine.load(headStatisticsGraph(head, engine));
  try {
    const windows = inOrder(hiddenWindows(blocks, head.hiddenSize), session.concurrency + 1, (hidden) =>
      reduce(session, head, { count: 1, length: hidden.length / head.hiddenSize }, hidden),
    );
    for await (const [outputs] of windows) {
      signal?.throwIfAborted();
      addWindow(model, sums, outputs!);
      onWindow?.(contextsOf(sums));
    }
  } finally {
    await session.release();
  }
  return finished(sums);
}

/** Hidden states in windows of `hiddenWindow` contexts, the last one with what is left. */
async function* hiddenWindows(blocks: AsyncIterable<Float32Array>, hiddenSize: number): AsyncGenerator<Float32Array> {
  const size = hiddenWindow * hiddenSize;
  let window = new Float32Array(size);
  let filled = 0;
  for await (const block of blocks) {
    for (let start = 0; start < block.length; ) {
      const part = block.subarray(start, start + size - filled);
      window.set(part, filled);
      filled += part.length;
      start += part.length;
      if (filled < size) continue;
      yield window;
      window = new Float32Array(size);
      filled = 0;
    }
  }
  if (filled > 0) yield window.subarray(0, filled);
}

/** Adds what the head put out for one window. @throws InputError if it is not finite, though the weights are */
function addWindow(model: HeadModel, sums: CollectedSums, outputs: readonly Tensors[]): void {
  for (const part of outputs) add(sums.block, part, sums.nextWindow % groupCount);
  requireFinite(model, sums);
  endWindow(sums);
}

function requireFinite({ name }: HeadModel, sums: CollectedSums): void {
  if (Number.isFinite(sums.block.sumEntropy)) return;
  const before = `somewhere before context ${contextsOf(sums)}`;
  throw new InputError(name, `its output is not finite ${before}: it overflows float32`);
}

/** Runs the head over hidden states [count, length, d], each window apart from the others. @returns what each gives */
async function reduce(
  session: Session,
  { vocabSize, hiddenSize }: Head,
  { count, length }: Pick<Windows, "count" | "length">,
  hidden: Float32Array,
): Promise<Tensors[][]> {
  const maxContexts = Math.max(1, Math.floor(maxBlockNumbers / vocabSize));
  const windows: Tensors[][] = [];
  for (let window = 0; window < count; window++) {
    const outputs: Tensors[] = [];
    for (let start = 0; start < length; start += maxContexts) {
      const contexts = Math.min(maxContexts, length - start);
      const begin = (window * length + start) * hiddenSize;
      const data = hidden.subarray(begin, begin + contexts * hiddenSize);
      outputs.push(await session.run({ hidden: { type: "float32", data, dims: [contexts, hiddenSize] } }));
    }
    windows.push(outputs);
  }
  return windows;
}

/** Adds one run's outputs (see headStatisticsGraph) to the sums. */
function add(statistics: ContextSums, outputs: Tensors, group: number): void {
  const { sumHidden, sumHiddenOuter, sumLogNormalizerHidden, logitMoments } = statistics;
  const moments = outerProducts(outputs, "moments");
  const d = sumHidden.length;
  const stride = d + 2;
  const contexts = Math.round(moments[(d + 1) * stride + d + 1]!);
  addProbabilities(statistics, float32Output(outputs, "sum_probability"), contexts, group);
  if (logitMoments) {
    accumulate(logitMoments.sumLogit, float32Output(outputs, "sum_logit"));
    accumulate(logitMoments.sumSquaredLogProbability, float32Output(outputs, "sum_squared_log_probability"));
  }

  for (let i = 0; i < d; i++) {
    const row = i * stride;
    for (let j = 0; j < d; j++) sumHiddenOuter[i * d + j]! += moments[row + j]!;
    sumLogNormalizerHidden[i]! += moments[row + d]!;
    sumHidden[i]! += moments[row + d + 1]!;
  }
  statistics.sumLogNormalizerSquared += moments[d * stride + d]!;
  statistics.sumLogNormalizer += moments[d * stride + d + 1]!;
  statistics.contexts += contexts;

  statistics.sumEntropy += total(float32Output(outputs, "entropy"));
  statistics.sumLogitDeviation += total(float32Output(outputs, "logit_deviation"));
  for (const size of topSizes) statistics.sumTopMass[`${size}`] += total(float32Output(outputs, `top_${size}_mass`));
}

/**
 * Adds sums of probabilities over some contexts, scaled so that together they are the number of the contexts. A row of a
 * float32 softmax is divided by a rounded sum of exponentials: rows add up to 1 within 2e-7, and to 4e-8 more than 1 on
 * average.
 */
function addProbabilities(
  { sumProbability, groups }: HeadStatistics,
  sums: Float32Array,
  contexts: number,
  group: number,
) {
  const scale = contexts / total(sums);
  const ofGroup = groups.sumProbability.subarray(group * sums.length, (group + 1) * sums.length);
  for (let i = 0; i < sums.length; i++) {
    const value = scale * sums[i]!;
    sumProbability[i]! += value;
    ofGroup[i]! += value;
  }
  groups.contexts[group]! += contexts;
}

function accumulate(sums: Float64Array, values: Float32Array): void {
  for (let i = 0; i < values.length; i++) sums[i]! += values[i]!;
}

function total(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
