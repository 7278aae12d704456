import type { Analysis } from "../../encoding/analysis.js";
import { summarizeAnalysis, worstTokens } from "../../encoding/summary.js";
import { renderAnalysisReport } from "../../report/analysis/report.js";
import { meanProbability } from "../../statistics/head-statistics.js";
import { writeSafetensors } from "../../tensor/safetensors/write-safetensors.js";
import { writeFolderAtomic } from "../files/write-atomic.js";
import { version } from "../version.js";

/** Raised when a field of run.json changes its meaning or goes; docs/run-schema.md describes it. */
const schemaVersion = 1;
const listedTokens = 20;

/** What was asked for, as run.json records it. */
export interface Asked {
  /** The command line, or the library call. */
  command: string;
  arguments: Record<string, unknown>;
}

/**
 * Writes run.json, tensors.safetensors and report.html (docs/run-schema.md), all or none.
 * @throws InputError if the folder cannot be written
 */
export async function writeAnalysisRun(folder: string, analysis: Analysis, asked: Asked): Promise<void> {
  const date = new Date().toISOString();
  await writeFolderAtomic(folder, [
    ["run.json", `${JSON.stringify(runRecord(analysis, asked, date), undefined, 2)}\n`],
    ["tensors.safetensors", analysisTensors(analysis)],
    ["report.html", renderAnalysisReport(analysis, { command: asked.command, version, date: date.slice(0, 10) })],
  ]);
}

function runRecord(analysis: Analysis, asked: Asked, date: string) {
  const { model, corpus, encoding, sparsity, theory, seed } = analysis;
  return {
    schema: "unembed-run",
    schemaVersion,
    kind: "analyze",
    unembed: version,
    asked,
    seed,
    model,
    corpus,
    results: {
      ...summarizeAnalysis(analysis),
      theory,
      encoding: {
        fStatistic: encoding.fStatistic,
        fPValue: encoding.fPValue,
        degreesOfFreedom: encoding.degreesOfFreedom,
        interceptStandardError: encoding.interceptStandardError,
        rank: encoding.rank,
        conditionNumber: encoding.conditionNumber,
        tokens: encoding.tokenIds.length,
      },
      refits: sparsity.refits,
      varianceShare: Array.from(sparsity.varianceShare.subarray(0, 10)),
      worstTokens: worstTokens(analysis, listedTokens),
    },
    // The only part, with `asked`, that differs between two runs of the same inputs and seed.
    made: { date, threads: analysis.threads, seconds: analysis.seconds, tokensPerSecond: analysis.tokensPerSecond },
  };
}

function analysisTensors(analysis: Analysis): Uint8Array {
  const { statistics, encoding, sparsity } = analysis;
  const { contexts } = statistics;
  const mean = (sums: Float64Array) => sums.map((value) => value / contexts);
  const d = encoding.slopes.length;
  const tensor = (name: string, data: Float64Array, shape = [data.length]) => ({
    name,
    dtype: "F64" as const,
    shape,
    data,
  });
  return writeSafetensors(
    [
      tensor("mean_probability", meanProbability(statistics)),
      tensor("slopes", encoding.slopes),
      tensor("standard_errors", encoding.standardErrors),
      tensor("t_values", encoding.tValues),
      tensor("p_values", encoding.pValues),
      tensor("saliency", sparsity.saliency),
      tensor("mean_hidden", mean(statistics.sumHidden)),
      tensor("second_moment", mean(statistics.sumHiddenOuter), [d, d]),
      tensor("token_counts", statistics.tokenCounts),
      tensor("fitted", encoding.fitted),
      { name: "token_ids", dtype: "I32", shape: [encoding.tokenIds.length], data: encoding.tokenIds },
    ],
    { unembed: version, intercept: `${encoding.intercept}`, contexts: `${contexts}` },
  );
}
