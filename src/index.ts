/** unembed's library: what `import { ... } from "unembedding"` gives. */
export { type CompareOptions, compare } from "./compare/compare.js";
export {
  type ComparedModel,
  type Comparison,
  type ComparisonSummary,
  largestMovers,
  type Mover,
  type Spread,
  summarizeComparison,
} from "./compare/comparison.js";
export type { Corpus } from "./corpus/corpus.js";
export type { Tokenizer } from "./corpus/tokenizer.js";
export type { Checkpoint } from "./dynamics/checkpoint.js";
export { countTokens } from "./dynamics/count-tokens.js";
export type { Convergence, Dynamics, Frequencies, LogEntry, Onset, PartMovement, Probe } from "./dynamics/dynamics.js";
export { countFrequencies, probabilityFrequencies } from "./dynamics/frequencies.js";
export { type DynamicsSummary, summarizeDynamics } from "./dynamics/summary.js";
export { readTokenCounts } from "./dynamics/token-counts.js";
export { readTrainingLog } from "./dynamics/training-log.js";
export { type DynamicsOptions, type DynamicsProgress, dynamics } from "./dynamics/watch.js";
export type { Analysis, Concentration, Encoding, Sparsity, Theory } from "./encoding/analysis.js";
export { type AnalyzeOptions, type AnalyzeProgress, analyze } from "./encoding/analyze.js";
export { type AnalysisSummary, summarize } from "./encoding/summary.js";
export type { Engine } from "./engine/engine.js";
export { InputError } from "./errors.js";
export {
  type GeneratedText,
  type GeneratedToken,
  type GenerateOptions,
  generate,
  type Prompt,
} from "./generation/generate.js";
export {
  type GeneratedPair,
  type GeneratedPiece,
  type GeneratedTexts,
  type GeneratedTextsOptions,
  generatedTexts,
  type Occurrences,
  windowPrompts,
} from "./generation/generated-texts.js";
export {
  type NextToken,
  type NextTokenDistribution,
  type NextTokenOptions,
  nextTokenDistribution,
} from "./generation/next-token.js";
export type { Sampling } from "./generation/sampling.js";
export { type Divergences, divergences } from "./measures/divergence.js";
export {
  type Mauve,
  type MauveOfFeatures,
  type MauveOptions,
  mauveFromFeatures,
  mauveFromHistograms,
} from "./measures/mauve.js";
export { distinct, perplexity, repetition } from "./measures/text.js";
export type { Head, HeadTransform } from "./model/head.js";
export type { HeadChange } from "./model/head-change.js";
export type { Model, Windows } from "./model/model.js";
export { type StoreTextOptions, storeText } from "./model/store-text.js";
export type { RowStore, StoredContexts } from "./model/stored-contexts.js";
export { type CheckpointOptions, type OpenedCheckpoints, openCheckpoints } from "./node/checkpoints.js";
export { writeComparisonRun } from "./node/comparison-run.js";
export { corpus } from "./node/corpus-files.js";
export { writeDynamicsRun } from "./node/dynamics-run.js";
export { type FileSource, openFileSource } from "./node/file-source.js";
export { defaultCorpus, type LoadOptions, loadModel } from "./node/load-model.js";
export { readReductionPlan, writeReductionPlan } from "./node/reduction-plan-folder.js";
export { type Asked, writeAnalysisRun } from "./node/run-folder.js";
export { type SaveOptions, saveModel } from "./node/save-model.js";
export { saveOnnx } from "./node/save-onnx.js";
export { type ExactHead, exactHead } from "./reduction/exact-head.js";
export { spreadHead } from "./reduction/factored-head.js";
export { type MeasureOptions, measureHead } from "./reduction/measure-head.js";
export { measureHeads, type PointMeasures } from "./reduction/measure-heads.js";
export type { Compensation, Metric, Order, ReducedHead } from "./reduction/orders.js";
export { parseReductionPlan, serializeReductionPlan } from "./reduction/plan-files.js";
export { type PlanWithin, planWithin } from "./reduction/plan-within.js";
export { type PrepareOptions, prepareReductions, type Reductions } from "./reduction/prepare.js";
export { type CurveOptions, reductionCurve } from "./reduction/reduction-curve.js";
export { planReduction, type ReductionChoice, type ReductionPlan, reduceHead } from "./reduction/reduction-plan.js";
export type { CurvePoint, ReductionMeasures } from "./reduction/reduction-run.js";
export { type RefinedCurveOptions, type RefinedPoint, refinedCurve } from "./reduction/refined-curve.js";
export { renderDynamicsReport } from "./report/dynamics-report.js";
export { renderReport } from "./report/report.js";
export { renderSteeringReport } from "./report/steering-report.js";
export { type CollectOptions, collectStatistics } from "./statistics/collect.js";
export { emptyStatistics, type HeadStatistics, meanProbability, merge } from "./statistics/head-statistics.js";
export type { EditEntry, Edits } from "./steering/edit-list.js";
export { type EditPlan, type PlanOptions, planEdits, readEditPlan } from "./steering/edit-plan.js";
export { readEdits } from "./steering/edits-file.js";
export { type ExperimentsSummary, summarizeExperiments } from "./steering/experiment-summary.js";
export { type ExperimentOptions, type Experiments, runExperiments } from "./steering/run-experiments.js";
export { type Steered, type SteerOptions, steer } from "./steering/steer.js";
export type { ByteSource, Folder } from "./tensor/byte-source.js";
export type { Matrix } from "./tensor/matrix.js";
