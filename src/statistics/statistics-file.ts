import { InputError } from "../errors.js";
import type { ByteSource } from "../tensor/byte-source.js";
import { readSafetensorsHeader, readTensorFloat64 } from "../tensor/safetensors/safetensors.js";
import { writeSafetensors } from "../tensor/safetensors/write-safetensors.js";
import { emptyStatistics, type HeadStatistics } from "./head-statistics.js";

/** The single numbers of HeadStatistics, in the order of the file's tensor `sums`. */
function scalars(s: HeadStatistics): number[] {
  return [
    s.contexts,
    s.sumLogNormalizer,
    s.sumLogNormalizerSquared,
    s.sumEntropy,
    s.sumLogitDeviation,
    s.sumTopMass["1"],
    s.sumTopMass["10"],
    s.sumTopMass["100"],
  ];
}

const arrays = {
  sum_probability: (s: HeadStatistics) => s.sumProbability,
  sum_hidden: (s: HeadStatistics) => s.sumHidden,
  sum_hidden_outer: (s: HeadStatistics) => s.sumHiddenOuter,
  sum_log_normalizer_hidden: (s: HeadStatistics) => s.sumLogNormalizerHidden,
  token_counts: (s: HeadStatistics) => s.tokenCounts,
};

function arraysOf(statistics: HeadStatistics): [name: string, data: Float64Array][] {
  const { logitMoments } = statistics;
  return [
    ...Object.entries(arrays).map(([name, get]): [string, Float64Array] => [name, get(statistics)]),
    ...(logitMoments
      ? ([
          ["sum_logit", logitMoments.sumLogit],
          ["sum_squared_log_probability", logitMoments.sumSquaredLogProbability],
        ] as [string, Float64Array][])
      : []),
  ];
}

/** HeadStatistics as a safetensors file, every sum in full float64. */
export function encodeStatistics(statistics: HeadStatistics, metadata: Record<string, string>): Uint8Array {
  const tensors = arraysOf(statistics).map(([name, data]) => {
    return { name, dtype: "F64" as const, shape: [data.length], data };
  });
  const sums = Float64Array.from(scalars(statistics));
  return writeSafetensors([...tensors, { name: "sums", dtype: "F64", shape: [sums.length], data: sums }], metadata);
}

/** @throws InputError if the file is not such a file for a head of these sizes */
export async function decodeStatistics(
  source: ByteSource,
  vocabSize: number,
  hiddenSize: number,
  transformed = false,
): Promise<{ statistics: HeadStatistics; metadata: Record<string, string> }> {
  const { tensors, metadata } = await readSafetensorsHeader(source);
  const statistics = emptyStatistics(vocabSize, hiddenSize, transformed);
  const read = async (name: string, length: number): Promise<Float64Array> => {
    const entry = tensors.get(name);
    if (entry === undefined || entry.shape.length !== 1 || entry.shape[0] !== length) {
      throw new InputError(source.name, `tensor "${name}" is missing or does not have ${length} numbers`);
    }
    return readTensorFloat64(entry);
  };
  for (const [name, target] of arraysOf(statistics)) target.set(await read(name, target.length));
  const sums = await read("sums", scalars(statistics).length);
  const [contexts, sumLogNormalizer, sumLogNormalizerSquared, sumEntropy, sumLogitDeviation, top1, top10, top100] =
    sums;
  return {
    statistics: {
      ...statistics,
      contexts: contexts!,
      sumLogNormalizer: sumLogNormalizer!,
      sumLogNormalizerSquared: sumLogNormalizerSquared!,
      sumEntropy: sumEntropy!,
      sumLogitDeviation: sumLogitDeviation!,
      sumTopMass: { "1": top1!, "10": top10!, "100": top100! },
    },
    metadata,
  };
}
