/** What the library has on Node and in browsers alike: everything that needs neither files nor an engine of its own. */
export { type CompareOptions, compare } from "./compare/compare.js";
export {
  type ComparedModel,
  type Comparison,
  type ComparisonSummary,
  largestMovers,
  type Mover,
  summarizeComparison,
} from "./compare/comparison.js";
export type { ChatMessage, Corpus, Document, StoredIds } from "./corpus/corpus.js";
export type { CorpusOptions } from "./corpus/file-documents.js";
export { type HiddenStates, openHiddenStates } from "./corpus/hidden-states.js";
export type { Tokenizer } from "./corpus/tokenizer/tokenizer.js";
export type { TokenDType } from "./corpus/tokens/id-files.js";
export type {
  Convergence,
  Dynamics,
  Frequencies,
  LearntToken,
  LogEntry,
  Onset,
  OnsetAtShare,
  PartKind,
  PartMovement,
  Passing,
  Probe,
  UnusableCheckpoint,
} from "./dynamics/dynamics.js";
export type { Checkpoint } from "./dynamics/inputs/checkpoint.js";
export { type CountedTokens, type CountOptions, countTokens } from "./dynamics/inputs/count-tokens.js";
export { type CountsInput, countFrequencies, probabilityFrequencies } from "./dynamics/inputs/frequencies.js";
export { readTokenCounts } from "./dynamics/inputs/token-counts.js";
export { readTrainingLog } from "./dynamics/inputs/training-log.js";
export { type DynamicsSummary, summarizeDynamics } from "./dynamics/summary.js";
export { type DynamicsOptions, type DynamicsProgress, dynamics } from "./dynamics/watch.js";
export type {
  Analysis,
  AnalyzedText,
  BuiltInPrior,
  Concentration,
  Encoding,
  R2Interval,
  R2Point,
  R2Uncertainty,
  Sparsity,
  Theory,
} from "./encoding/analysis.js";
export { type AnalyzeOptions, analyze, analyzeHidden } from "./encoding/analyze.js";
export { type CollectProgress, type CollectTextOptions, collectHidden, collectText } from "./encoding/collect-text.js";
export type { Collected } from "./encoding/collected.js";
export { type ReadEncodingOptions, readEncoding } from "./encoding/read-encoding.js";
export { type AnalysisSummary, summarizeAnalysis } from "./encoding/summary.js";
export { parseTokenText, tokensCsv } from "./encoding/tokens-csv.js";
export type { EngineCapabilities } from "./engine/capabilities.js";
export { type DeviceName, deviceNames } from "./engine/devices.js";
export type { Engine } from "./engine/engine.js";
export { InputError, type InputErrorOptions } from "./errors.js";
export type { ModelFile } from "./export/model-files.js";
export type { BanOptions, TextBan, TextBanMethod } from "./generation/bans/ban.js";
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
export type { TextMeasures } from "./generation/text-measures.js";
export type { DownloadProgress } from "./hub/download-progress.js";
export type { Gram } from "./linalg/gram.js";
export type { BeforeAfter } from "./measures/before-after.js";
export type { Spread } from "./measures/context-values.js";
export { type Divergences, divergences } from "./measures/divergence.js";
export type { Interval } from "./measures/interval.js";
export {
  type Mauve,
  type MauveOfFeatures,
  type MauveOptions,
  mauveFromFeatures,
  mauveFromHistograms,
} from "./measures/mauve.js";
export { distinct, perplexity, repetition } from "./measures/text.js";
export type { BeginOfText } from "./model/contexts/begin-of-text.js";
export { type StoreTextOptions, storeText } from "./model/contexts/store-text.js";
export type { StoredContexts } from "./model/contexts/stored-contexts.js";
export type { Head } from "./model/head/head.js";
export type { HeadChange } from "./model/head/head-change.js";
export type { HeadModel } from "./model/head/head-model.js";
export type { HeadTransform } from "./model/head/head-transform.js";
export type { PreviewBound, ReducedHead } from "./model/head/reduced-head.js";
export { spreadHead } from "./model/head/spread-head.js";
export type { Model } from "./model/model.js";
export type { PartProgress } from "./model/pass/layers-in-turn.js";
export type { RowStore } from "./model/pass/row-store.js";
export type { ReachedStates, StatePlace, StateRows, StateSize, StateType } from "./model/pass/state-place.js";
export type { PassOptions, PassWindows, TextPass } from "./model/pass/text-pass.js";
export type { Windows } from "./model/pass/window-batches.js";
export { type CurveMethod, type CurveOptions, reductionCurve } from "./reduction/curves/reduction-curve.js";
export { type RefinedCurveOptions, type RefinedPoint, refinedCurve } from "./reduction/curves/refined-curve.js";
export { type ContextRange, type MeasureOptions, measureHead } from "./reduction/measure/measure-head.js";
export { type MeasuredModel, measureHeads, type PointMeasures } from "./reduction/measure/measure-heads.js";
export type { Compensation, Metric, Order } from "./reduction/methods/orders.js";
export { compensations, metrics, orders } from "./reduction/methods/orders.js";
export { type PrepareOptions, prepareReductions, type Reductions } from "./reduction/methods/prepare.js";
export type { RefineOptions, RefineProgress } from "./reduction/methods/refine.js";
export type { GateProgress } from "./reduction/methods/train-gates.js";
export { parseReductionPlan, serializeReductionPlan } from "./reduction/plan/plan-files.js";
export { type PlanWithin, planWithin } from "./reduction/plan/plan-within.js";
export type { ReductionRecord } from "./reduction/plan/reduction-plan.js";
export {
  planReduction,
  type ReductionChoice,
  type ReductionPlan,
  reduceHead,
} from "./reduction/plan/reduction-plan.js";
export type {
  CurvePoint,
  EncodingPoint,
  GreedyCost,
  ReducedBytes,
  ReducedTexts,
  ReductionMeasures,
  ReductionRun,
} from "./reduction/reduction-run.js";
export type { MeasureSummary } from "./reduction/summary.js";
export { type ReductionSummary, summarizeReduction } from "./reduction/summary.js";
export { type BiasPlace, type ExactHead, exactHead, NoPlaceForBias } from "./reduction/write/exact-head.js";
export { renderAnalysisReport } from "./report/analysis/report.js";
export { renderComparisonReport } from "./report/comparison/comparison-report.js";
export { renderDynamicsReport } from "./report/dynamics/dynamics-report.js";
export type { Provenance } from "./report/page/provenance-section.js";
export { renderReductionReport } from "./report/reduction/reduction-report.js";
export { renderSteeringReport } from "./report/steering/steering-report.js";
export { renderTrimReport } from "./report/trimming/trim-report.js";
export { type AnalysisRunOptions, analysisRun, hiddenAnalysisRun } from "./runs/analysis-run.js";
export { type ComparisonRunOptions, comparisonRun } from "./runs/comparison-run.js";
export { type CountRunOptions, countRun, type TokenCounts } from "./runs/count-run.js";
export { type DynamicsRunOptions, dynamicsRun } from "./runs/dynamics-run.js";
export {
  type GenerationRun,
  type GenerationRunOptions,
  generationRun,
  type WrittenText,
} from "./runs/generation-run.js";
export type { ReduceOptions, ReductionAmount } from "./runs/reduction/reduce-options.js";
export { type ReduceResult, reduceRun } from "./runs/reduction/reduce-run.js";
export type { OnRunEvent, RunEvent, RunNotice, RunProgress } from "./runs/run-events.js";
export type { SteerRunOptions, SteerTexts, TextsToGenerate, TrialChoice } from "./runs/steering/steer-options.js";
export { steerRun } from "./runs/steering/steer-run.js";
export { trialRun } from "./runs/steering/steer-trials.js";
export { type TrimOptions, type TrimResult, trimRun } from "./runs/trimming/trim-run.js";
export { type CollectOptions, collectStatistics } from "./statistics/collect.js";
export type { CollectedSums } from "./statistics/collected-sums.js";
export {
  type ContextSums,
  emptyStatistics,
  type HeadStatistics,
  meanProbability,
  merge,
} from "./statistics/head-statistics.js";
export type { PartOfText } from "./statistics/parts.js";
export type { CheckedGroup, CheckedText, Collateral, EditCheck } from "./steering/check/check.js";
export { type CheckText, checkTexts } from "./steering/check/check-texts.js";
export type { EditEntry, Edits } from "./steering/plan/edit-list.js";
export { type EditWay, editWay, type PlanOptions, planEdits, readEditPlan } from "./steering/plan/edit-plan.js";
export { readEdits } from "./steering/plan/edits-file.js";
export type { BanMethod, Method } from "./steering/plan/method.js";
export { type EditPlan, type SavedPlan, savedPlan } from "./steering/plan/saved-plan.js";
export type { Target } from "./steering/plan/targets.js";
export type { Probes } from "./steering/probes/probe-contexts.js";
export type { ProbedContext, ProbedEdit } from "./steering/probes/probe-edits.js";
export type { EditSpread } from "./steering/solve/edit-spread.js";
export type { Solution, SolvedGroup, WordUses } from "./steering/solve/solution.js";
export { type Steered, type SteerOptions, steer } from "./steering/steer.js";
export type { EditedRun, SteeredModel, SteeringRun, WrittenEdit } from "./steering/steering-run.js";
export { summarizeSteering } from "./steering/summary.js";
export {
  type ExperimentsSummary,
  type MethodSummary,
  summarizeExperiments,
  type TrialSummary,
} from "./steering/trials/experiment-summary.js";
export {
  type ExperimentOptions,
  type ExperimentPlan,
  type Experiments,
  runExperiments,
} from "./steering/trials/run-experiments.js";
export type { Trial, TrialEffect, TrialGroup } from "./steering/trials/trial.js";
export { type MeasuredWord, type MeasureWordOptions, measureWords } from "./steering/words/measure-words.js";
export type { ByteSource, EndedAfter, Folder } from "./tensor/byte-source.js";
export type { TensorEntries } from "./tensor/checkpoint-layouts.js";
export type { Matrix } from "./tensor/matrix.js";
export type { TensorEntry } from "./tensor/safetensors/safetensors.js";
export type { TrimCheck } from "./trimming/measure/check-text.js";
export type { MassPoint } from "./trimming/measure/mass-curve.js";
export type { TokenKind } from "./trimming/measure/token-kinds.js";
export type { KeptCounts, RankedAmount } from "./trimming/plan/kept-tokens.js";
export { measureUsage, type ReadTextOptions, type TokenUsage } from "./trimming/plan/token-usage.js";
export {
  type PlanTrimOptions,
  planTrim,
  readTrimPlan,
  serializeTrimPlan,
  type TrimAmount,
  type TrimPlan,
} from "./trimming/plan/trim-plan.js";
export {
  type RemovedToken,
  summarizeTrim,
  type TrimProof,
  type TrimRun,
  type TrimSummary,
} from "./trimming/trim-run.js";
export { type TrimmedCheckpoint, trimVocabulary } from "./trimming/write/trimmed-checkpoint.js";
