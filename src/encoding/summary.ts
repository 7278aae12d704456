import type { Analysis, BuiltInPrior, R2Interval, R2Point } from "./analysis.js";

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
  /** Null where it cannot be told: see `warnings`. */
  r2Interval: R2Interval | null;
  r2Curve: R2Point[];
  warnings: string[];
  intercept: number;
  residualStandardError: number;
  gini: number;
  dimensionsFor: Analysis["sparsity"]["dimensionsFor"];
  theory: { meanField: { r2: number; cosine: number }; secondOrder: { r2: number }; prior: BuiltInPrior | null };
  concentration: Analysis["concentration"];
}

/** An analysis in numbers that fit on a page: `results` of run.json and `--json` (docs/run-schema.md). */
export function summarizeAnalysis(analysis: Analysis): AnalysisSummary {
  const { model, corpus, encoding, uncertainty, warnings, sparsity, theory, concentration } = analysis;
  return {
    model: model.name,
    vocabSize: model.vocabSize,
    hiddenSize: model.hiddenSize,
    contexts: corpus.contexts,
    r2: encoding.r2,
    adjustedR2: encoding.adjustedR2,
    crossValidatedR2: encoding.crossValidatedR2,
    spearman: encoding.spearman,
    r2Interval: uncertainty.r2Interval ?? null,
    r2Curve: uncertainty.r2Curve,
    warnings,
    intercept: encoding.intercept,
    residualStandardError: encoding.residualStandardError,
    gini: sparsity.gini,
    dimensionsFor: sparsity.dimensionsFor,
    theory: {
      meanField: { r2: theory.meanField.r2, cosine: theory.meanField.cosine },
      secondOrder: { r2: theory.secondOrder.r2 },
      prior: theory.prior ?? null,
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
