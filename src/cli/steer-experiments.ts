import { resolve } from "node:path";
import type { Command } from "commander";
import type { Corpus } from "../corpus/corpus.js";
import type { Model } from "../model/model.js";
import { checkWritable } from "../node/files/check-writable.js";
import { rowFile } from "../node/files/row-file.js";
import { writeFolderAtomic } from "../node/files/write-atomic.js";
import type { CheckText } from "../steering/check/check.js";
import { defaultSize } from "../steering/plan/method.js";
import { summarizeExperiments } from "../steering/trials/experiment-summary.js";
import { type ExperimentPlan, type Experiments, runExperiments } from "../steering/trials/run-experiments.js";
import { folderName } from "./options/arguments.js";
import { countSeries, numberSeries } from "./options/number-series.js";
import { integerUpTo, positiveInteger } from "./options/numbers.js";
import { noProgress, stepsProgress } from "./progress/progress.js";
import { steeringFiles, steeringSeed } from "./steering-files.js";
import { closingLines, experimentLines } from "./tables/experiments-table.js";

/** The arguments of a command that ask for experiments. */
export interface ExperimentArguments {
  sweep?: number[];
  sweepTokens?: number[];
  sweepSizes?: number[];
  compareMethods?: boolean;
  perBand: number;
}

/** Tokens of each band that are drawn, unless told. */
const perBand = 4;
const mostPerBand = 1000;
/** Defaults of the experiments: lambdas, edits and their tokens, and tokens of text. */
const usualSizes = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1];
const fewEdits = 3;
const smallGroup = 8;
const fewTokens = 5000;

export function experimentOptions(command: Command): Command {
  return command
    .option("--report <folder>", "without --out: where experiments are written (default: runs/steer-<model>)")
    .option(
      "--sweep <scales>",
      "try scales, as 0.01..100 or 0.2,5, on random tokens of three frequency bands",
      numberSeries([1, 2, 5]),
    )
    .option("--sweep-tokens <counts>", "try edits fitted on so few tokens, as 500..20_000", countSeries)
    .option("--sweep-sizes <lambdas>", "try sizes of nearest edits, as 1e-7..0.01", numberSeries([1]))
    .option("--compare-methods", "try every method on the edits, each alone")
    .option("--per-band <n>", "random tokens of each frequency band", bandSize, perBand);
}

const bandSize = integerUpTo(mostPerBand, positiveInteger, `at most ${mostPerBand} are drawn.`);

export function experimentsWanted({ sweep, sweepTokens, sweepSizes, compareMethods }: ExperimentArguments): boolean {
  return [sweep, sweepTokens, sweepSizes].some((list) => list !== undefined) || compareMethods === true;
}

type Texts = { readonly [Text in CheckText]?: Corpus | undefined };

type TrialArguments = ExperimentArguments &
  Pick<ExperimentPlan, "method" | "salient" | "exact" | "calibrate" | "guard"> & {
    size?: number;
    tokens: number;
    checkTokens: number;
    context?: number;
    threads?: number;
    report?: string;
    json?: boolean;
    quiet?: boolean;
  };

/** The part of a run that only the command knows. */
export interface TrialCommand {
  readonly args: TrialArguments;
  readonly started: number;
  readonly separator: number | null | undefined;
}

/** The experiments that a command line asks for, or else a short sweep of lambda, where the method has one. */
export async function shownExperiments(
  model: Model,
  plan: ExperimentPlan,
  texts: Texts,
  { args, separator }: Omit<TrialCommand, "started">,
  signal: AbortSignal,
): Promise<Experiments | undefined> {
  const wanted = experimentsWanted(args);
  // How near to the logit bias the edit is belongs to every page, on as much text as takes a moment.
  const edits = wanted ? plan.edits : plan.edits.filter(({ tokens }) => tokens.length <= smallGroup).slice(0, fewEdits);
  if (!wanted && (plan.method !== "nearest" || !plan.calibrate || edits.length === 0)) return undefined;
  const atMost = (tokens: number) => (wanted ? tokens : Math.min(tokens, fewTokens));
  const progress = args.quiet ? noProgress : stepsProgress(process.stderr, "trying edits");
  try {
    return await runExperiments(model, { ...plan, edits }, texts, {
      scales: args.sweep,
      tokenCounts: args.sweepTokens,
      sizes: wanted ? args.sweepSizes : usualSizes,
      methods: args.compareMethods,
      perBand: args.perBand,
      tokens: atMost(args.tokens),
      checkTokens: atMost(args.checkTokens),
      contextLength: args.context,
      separator,
      seed: steeringSeed,
      store: rowFile,
      signal,
      onProgress: progress.update,
    });
  } finally {
    progress.stop();
  }
}

/** Experiments that no edited model is written beside: their page and numbers in a folder of their own. */
export async function experimentsOnly(
  model: Model,
  plan: ExperimentPlan | undefined,
  texts: Texts,
  command: TrialCommand,
  signal: AbortSignal,
): Promise<void> {
  const { args, started } = command;
  const out = resolve(args.report ?? `runs/steer-${folderName(model.name)}`);
  await checkWritable(out);
  const { method, size, salient, exact, calibrate, guard } = args;
  const way = { method, size: size ?? defaultSize, fixedSize: size !== undefined, salient, exact, calibrate, guard };
  const followed = plan ?? { ...way, edits: [] };
  const experiments = await shownExperiments(model, followed, texts, command, signal);
  signal.throwIfAborted();
  await writeFolderAtomic(out, steeringFiles(model, texts, { args, started }, { experiments }));
  const seconds = (performance.now() - started) / 1000;
  const summary = summarizeExperiments(experiments!);
  if (args.json) console.log(JSON.stringify({ experiments: summary, seconds, out }));
  else if (!args.quiet) console.log([...experimentLines(summary), "", ...closingLines(seconds, out)].join("\n"));
}
