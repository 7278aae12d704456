import { float32Output, float64Output, type Session, type Tensors } from "../engine/engine.js";
import { inOrder } from "../engine/in-order.js";
import { untilAborted } from "../engine/until-aborted.js";
import { InputError } from "../errors.js";
import { windowBatches } from "../model/contexts/window-batches.js";
import { type Head, isTransformed } from "../model/head/head.js";
import type { HeadModel } from "../model/head/head-model.js";
import type { Model, Windows } from "../model/model.js";
import { headStatisticsGraph, topSizes } from "./head-graph.js";
import { emptyStatistics, type HeadStatistics } from "./head-statistics.js";

/** Numbers in one V-wide block (16 MB as float32): bounds memory whatever the vocabulary. */
const maxBlockNumbers = 2 ** 22;

/** What the statistics are added to, and who is told. */
export interface CollectOptions {
  /** Statistics of earlier windows of the same text; the new ones are added to them in place. */
  onto?: HeadStatistics | undefined;
  /** Called after each batch of windows has been added, in the text's order. */
  onBatch?: ((done: { windows: number; statistics: HeadStatistics }) => void | Promise<void>) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Runs a text through the model once and sums what the head puts out (METHOD.md section 1). Memory does not grow with
 * the text. Sums are formed in float32 inside one window, in float64 over windows and in the windows' order, so that
 * splitting a text at a window's edge and merging gives the same result.
 * @param windows token ids of each window; every position counts once
 * @throws the signal's reason when it is aborted
 */
export async function collectStatistics(
  model: Model,
  windows: AsyncIterable<Int32Array>,
  { onto, onBatch, signal }: CollectOptions = {},
): Promise<HeadStatistics> {
  const { head } = model;
  const statistics = onto ?? emptyStatistics(head.vocabSize, head.hiddenSize, isTransformed(head));
  const session = await model.engine.load(headStatisticsGraph(head));
  try {
    const batches = inOrder(
      windowBatches(signal ? untilAborted(windows, signal) : windows),
      session.concurrency + 1,
      async (part) => ({
        part,
        reduced: await reduce(session, head, part, await model.hiddenStates(part)),
      }),
    );
    for await (const { part, reduced } of batches) {
      signal?.throwIfAborted();
      for (const outputs of reduced) add(statistics, outputs);
      requireFinite(model, statistics);
      for (const id of part.tokenIds) statistics.tokenCounts[id]! += 1;
      await onBatch?.({ windows: part.count, statistics });
    }
  } finally {
    await session.release();
  }
  return statistics;
}

/**
 * The same sums from hidden states that were computed elsewhere; of the text's own tokens nothing is known.
 * @param blocks rows of hidden states, float32 [rows, d]
 */
export async function collectFromHidden(
  model: HeadModel,
  blocks: AsyncIterable<Float32Array>,
  { signal, onBlock }: { signal?: AbortSignal | undefined; onBlock?: ((contexts: number) => void) | undefined } = {},
): Promise<HeadStatistics> {
  const { head, engine } = model;
  const statistics = emptyStatistics(head.vocabSize, head.hiddenSize, isTransformed(head));
  const session = await engine.load(headStatisticsGraph(head));
  try {
    const results = inOrder(blocks, session.concurrency + 1, (block) =>
      reduce(session, head, { count: 1, length: block.length / head.hiddenSize }, block),
    );
    for await (const reduced of results) {
      signal?.throwIfAborted();
      for (const outputs of reduced) add(statistics, outputs);
      requireFinite(model, statistics);
      onBlock?.(statistics.contexts);
    }
  } finally {
    await session.release();
  }
  return statistics;
}

/** @throws InputError if a window's output was not finite, though its weights are */
function requireFinite({ name }: HeadModel, { sumEntropy, contexts }: HeadStatistics): void {
  if (Number.isFinite(sumEntropy)) return;
  throw new InputError(name, `its output is not finite somewhere before context ${contexts}: it overflows float32`);
}

/** Runs the head over hidden states [count, length, d], each window apart from the others. */
async function reduce(
  session: Session,
  { vocabSize, hiddenSize }: Head,
  { count, length }: Pick<Windows, "count" | "length">,
  hidden: Float32Array,
): Promise<Tensors[]> {
  const maxRows = Math.max(1, Math.floor(maxBlockNumbers / vocabSize));
  const outputs: Tensors[] = [];
  for (let window = 0; window < count; window++) {
    for (let start = 0; start < length; start += maxRows) {
      const rows = Math.min(maxRows, length - start);
      const begin = (window * length + start) * hiddenSize;
      const data = hidden.subarray(begin, begin + rows * hiddenSize);
      outputs.push(await session.run({ hidden: { type: "float32", data, dims: [rows, hiddenSize] } }));
    }
  }
  return outputs;
}

/** Adds one block's outputs (see headStatisticsGraph) to the sums. */
function add(statistics: HeadStatistics, outputs: Tensors): void {
  const { sumProbability, sumHidden, sumHiddenOuter, sumLogNormalizerHidden } = statistics;
  accumulate(sumProbability, float32Output(outputs, "sum_probability"));
  const { logitMoments } = statistics;
  if (logitMoments) {
    accumulate(logitMoments.sumLogit, float32Output(outputs, "sum_logit"));
    accumulate(logitMoments.sumSquaredLogProbability, float32Output(outputs, "sum_squared_log_probability"));
  }

  const moments = float64Output(outputs, "moments");
  const d = sumHidden.length;
  const stride = d + 2;
  for (let i = 0; i < d; i++) {
    const row = i * stride;
    for (let j = 0; j < d; j++) sumHiddenOuter[i * d + j]! += moments[row + j]!;
    sumLogNormalizerHidden[i]! += moments[row + d]!;
    sumHidden[i]! += moments[row + d + 1]!;
  }
  statistics.sumLogNormalizerSquared += moments[d * stride + d]!;
  statistics.sumLogNormalizer += moments[d * stride + d + 1]!;
  statistics.contexts += Math.round(moments[(d + 1) * stride + d + 1]!);

  statistics.sumEntropy += total(float32Output(outputs, "entropy"));
  statistics.sumLogitDeviation += total(float32Output(outputs, "logit_deviation"));
  for (const size of topSizes) statistics.sumTopMass[`${size}`] += total(float32Output(outputs, `top_${size}_mass`));
}

function accumulate(sums: Float64Array, values: Float32Array): void {
  for (let i = 0; i < values.length; i++) sums[i]! += values[i]!;
}

function total(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
