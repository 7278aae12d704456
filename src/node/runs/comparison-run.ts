import { type Comparison, summarizeComparison } from "../../compare/comparison.js";
import { renderComparisonReport } from "../../report/comparison/comparison-report.js";
import { writeSafetensors } from "../../tensor/safetensors/write-safetensors.js";
import { writeFolderAtomic } from "../files/write-atomic.js";
import { version } from "../version.js";
import type { Asked } from "./run-folder.js";

/** Raised when a field of a comparison's run.json changes its meaning or goes; docs/run-schema.md describes it. */
const schemaVersion = 1;

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
  const date = new Date().toISOString();
  const record = {
    schema: "unembed-run",
    schemaVersion,
    kind: "compare",
    unembed: version,
    asked,
    models,
    vocabSize,
    corpus,
    results: summarizeComparison(comparison, movers),
    // The only part, with `asked`, that differs between two runs of the same inputs.
    made: { date, threads, seconds, tokensPerSecond },
  };
  await writeFolderAtomic(folder, [
    ["run.json", `${JSON.stringify(record, undefined, 2)}\n`],
    ["tensors.safetensors", comparisonTensors(comparison)],
    ["report.html", renderComparisonReport(comparison, { command: asked.command, version, date: date.slice(0, 10) })],
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
