import type { Analysis } from "../../../encoding/analysis.js";
import { summarizeAnalysis, worstTokens } from "../../../encoding/summary.js";
import { tokensCsv } from "../../../encoding/tokens-csv.js";
import { renderAnalysisReport } from "../../../report/analysis/report.js";
import { meanProbability } from "../../../statistics/head-statistics.js";
import { writeSafetensors } from "../../../tensor/safetensors/write-safetensors.js";
import { writeFolderAtomic } from "../../files/write-atomic.js";
import { version } from "../../version.js";
import { type Asked, runRecord } from "./run-record.js";

const listedTokens = 20;

/**
 * Writes run.json, tensors.safetensors, tokens.csv and report.html (docs/run-schema.md), all or none.
 * @throws InputError if the folder cannot be written
 */
export async function writeAnalysisRun(folder: string, analysis: Analysis, asked: Asked): Promise<void> {
  const { file, provenance } = record(analysis, asked);
  await writeFolderAtomic(folder, [
    file,
    ["tensors.safetensors", analysisTensors(analysis)],
    ["tokens.csv", tokensCsv(analysis)],
    ["report.html", renderAnalysisReport(analysis, provenance)],
  ]);
}

function record(analysis: Analysis, asked: Asked) {
  const { model, corpus, encoding, sparsity, theory, seed } = analysis;
  const { threads, seconds, tokensPerSecond } = analysis;
  const contents = {
    seed,
    model,
    corpus,
    results: {
      ...summarizeAnalysis(analysis),
      theory: { ...theory, prior: theory.prior ?? null },
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
  };
  return runRecord("analyze", asked, contents, { threads, seconds, tokensPerSecond });
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
      tensor("component_scores", sparsity.scores, [encoding.tokenIds.length, sparsity.componentCount]),
      { name: "token_ids", dtype: "I32", shape: [encoding.tokenIds.length], data: encoding.tokenIds },
    ],
    { unembed: version, intercept: `${encoding.intercept}`, contexts: `${contexts}` },
  );
}
