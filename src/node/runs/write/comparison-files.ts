import { type Comparison, summarizeComparison } from "../../../compare/comparison.js";
import { renderComparisonReport } from "../../../report/comparison/comparison-report.js";
import { writeSafetensors } from "../../../tensor/safetensors/write-safetensors.js";
import { writeFolderAtomic } from "../../files/write-atomic.js";
import { version } from "../../version.js";
import { type Asked, runRecord } from "./run-record.js";

/**
 * Writes run.json, tensors.safetensors and report.html of a comparison (docs/run-schema.md), all or none.
 * @param movers how many of the tokens that moved most to list
 * @throws InputError if the folder cannot be written
 */
export async function writeComparisonRun(
  folder: string,
  comparison: Comparison,
  asked: Asked,
  movers = 20,
): Promise<void> {
  const { models, vocabSize, corpus, threads, seconds, tokensPerSecond } = comparison;
  const contents = { models, vocabSize, corpus, results: summarizeComparison(comparison, movers) };
  const { file, provenance } = runRecord("compare", asked, contents, { threads, seconds, tokensPerSecond });
  await writeFolderAtomic(folder, [
    file,
    ["tensors.safetensors", comparisonTensors(comparison)],
    ["report.html", renderComparisonReport(comparison, provenance)],
  ]);
}

function comparisonTensors({ meanProbability, perContext, corpus }: Comparison): Uint8Array {
  const probability = (name: string, data: Float64Array) => ({
    name,
    dtype: "F64" as const,
    shape: [data.length],
    data,
  });
  const divergence = (name: string, data: Float32Array) => ({
    name,
    dtype: "F32" as const,
    shape: [data.length],
    data,
  });
  return writeSafetensors(
    [
      probability("mean_probability_a", meanProbability.a),
      probability("mean_probability_b", meanProbability.b),
      divergence("kl", perContext.kl),
      divergence("reverse_kl", perContext.reverseKl),
      divergence("js", perContext.js),
    ],
    { unembed: version, contexts: `${corpus.contexts}` },
  );
}
