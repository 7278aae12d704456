import { InputError } from "../errors.js";
import type { ByteSource } from "../tensor/byte-source.js";
import { readSafetensorsHeader, readTensorFloat64, type TensorEntry } from "../tensor/safetensors/safetensors.js";
import { writeSafetensors } from "../tensor/safetensors/write-safetensors.js";
import type { CollectedSums } from "./collected-sums.js";
import {
  arraysOf,
  type ContextSums,
  emptyStatistics,
  type HeadStatistics,
  numbersOf,
  setNumbers,
} from "./head-statistics.js";

/** Prefix of the names of one part of the sums, as in `rest.sum_probability`. */
const restPrefix = "rest.";
const blockPrefix = "block.";
const numbersName = "sums";

/** Sizes that the sums of a head have. */
export interface StatisticsSizes {
  vocabSize: number;
  hiddenSize: number;
  /** Whether the head's logits are more than E h + b. */
  transformed: boolean;
}

/** HeadStatistics as a safetensors file, every sum in full float64. */
export function encodeStatistics(statistics: HeadStatistics, metadata: Record<string, string>): Uint8Array {
  return writeSafetensors(statisticsTensors(statistics), metadata);
}

/** The same of what an unfinished pass had reached. */
export function encodeCollected(collected: CollectedSums, metadata: Record<string, string>): Uint8Array {
  const tensors = [...statisticsTensors(collected.statistics), ...statisticsTensors(collected.block, blockPrefix)];
  return writeSafetensors(tensors, { ...metadata, next_window: `${collected.nextWindow}` });
}

/** @throws InputError if the file is not such a file for a head of these sizes */
export async function decodeStatistics(
  source: ByteSource,
  sizes: StatisticsSizes,
): Promise<{ statistics: HeadStatistics; metadata: Record<string, string> }> {
  const { tensors, metadata } = await readSafetensorsHeader(source);
  return { statistics: await readStatistics(source, tensors, sizes), metadata };
}

/** @throws InputError if the file is not what encodeCollected makes, for a head of these sizes */
export async function decodeCollected(
  source: ByteSource,
  sizes: StatisticsSizes,
): Promise<{ collected: CollectedSums; metadata: Record<string, string> }> {
  const { tensors, metadata } = await readSafetensorsHeader(source);
  const nextWindow = Number(metadata.next_window);
  if (!Number.isSafeInteger(nextWindow) || nextWindow < 0) {
    throw new InputError(source.name, `next_window is ${metadata.next_window}; a whole number is wanted`);
  }
  const statistics = await readStatistics(source, tensors, sizes);
  const block = await readStatistics(source, tensors, sizes, blockPrefix);
  return { collected: { nextWindow, statistics, block }, metadata };
}

function statisticsTensors(statistics: HeadStatistics, prefix = "") {
  const { rest } = statistics;
  return [...sumsTensors(statistics, prefix), ...(rest ? sumsTensors(rest, prefix + restPrefix) : [])];
}

function sumsTensors(sums: ContextSums, prefix: string) {
  return [...arraysOf(sums), [numbersName, numbersOf(sums)] as const].map(([name, data]) => ({
    name: prefix + name,
    dtype: "F64" as const,
    shape: [data.length],
    data,
  }));
}

async function readStatistics(
  source: ByteSource,
  tensors: ReadonlyMap<string, TensorEntry>,
  { vocabSize, hiddenSize, transformed }: StatisticsSizes,
  prefix = "",
): Promise<HeadStatistics> {
  const read = async (start: string): Promise<ContextSums> => {
    const sums = emptyStatistics(vocabSize, hiddenSize, transformed);
    const numbers = numbersOf(sums);
    for (const [name, target] of [...arraysOf(sums), [numbersName, numbers] as const]) {
      const entry = tensors.get(start + name);
      if (entry === undefined || entry.shape.length !== 1 || entry.shape[0] !== target.length) {
        throw new InputError(
          source.name,
          `tensor "${start + name}" is missing or does not have ${target.length} numbers`,
        );
      }
      target.set(await readTensorFloat64(entry));
    }
    setNumbers(sums, numbers);
    return sums;
  };
  const statistics = await read(prefix);
  const hasRest = tensors.has(prefix + restPrefix + numbersName);
  return hasRest ? { ...statistics, rest: await read(prefix + restPrefix) } : statistics;
}
