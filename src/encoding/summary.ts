import type { Analysis } from "./analysis.js";

/** The numbers of an analysis that fit on a page: what `--json` prints and `run.json` holds under `results`. */
export interface AnalysisSummary {
  model: string;
  vocabSize: number;
  hiddenSize: number;
  contexts: number;
  r2: number;
  adjustedR2: number;
  crossValidatedR2: number;
  spearman: number;
  intercept: number;
  residualStandardError: number;
  gini: number;
  dimensionsFor: Analysis["sparsity"]["dimensionsFor"];
  theory: { meanField: { r2: number; cosine: number }; secondOrder: { r2: number } };
  concentration: Analysis["concentration"];
}

/** An analysis in numbers that fit on a page: `results` of run.json and `--json` (docs/run-schema.md). */
export function summarizeAnalysis({
  model,
  corpus,
  encoding,
  sparsity,
  theory,
  concentration,
}: Analysis): AnalysisSummary {
  return {
    model: model.name,
    vocabSize: model.vocabSize,
    hiddenSize: model.hiddenSize,
    contexts: corpus.contexts,
    r2: encoding.r2,
    adjustedR2: encoding.adjustedR2,
    crossValidatedR2: encoding.crossValidatedR2,
    spearman: encoding.spearman,
    intercept: encoding.intercept,
    residualStandardError: encoding.residualStandardError,
    gini: sparsity.gini,
    dimensionsFor: sparsity.dimensionsFor,
    theory: {
      meanField: { r2: theory.meanField.r2, cosine: theory.meanField.cosine },
      secondOrder: { r2: theory.secondOrder.r2 },
    },
    concentration,
  };
}

/** Tokens whose fitted -log alpha is furthest from the true one, worst first. */
export function worstTokens({ encoding, tokens }: Analysis, count: number) {
  const { tokenIds, observed, fitted } = encoding;
  const residual = (index: number) => Math.abs(observed[index]! - fitted[index]!);
  return Array.from(tokenIds.keys())
    .sort((a, b) => residual(b) - residual(a) || a - b)
    .slice(0, count)
    .map((index) => ({
      id: tokenIds[index]!,
      token: tokens[tokenIds[index]!]!,
      probability: Math.exp(-observed[index]!),
      fittedProbability: Math.exp(-fitted[index]!),
    }));
}
