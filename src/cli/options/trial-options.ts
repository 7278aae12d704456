import type { Command } from "commander";
import type { TrialChoice } from "../../runs/steering/steer-options.js";
import { countSeries, numberSeries } from "./number-series.js";
import { integerUpTo, positiveInteger } from "./numbers.js";

/** The options of trials, read. */
export interface TrialArguments {
  sweep?: number[];
  sweepTokens?: number[];
  sweepSizes?: number[];
  compareMethods?: boolean;
  perBand: number;
}

/** Tokens of each band that are drawn, unless told. */
const perBand = 4;
const mostPerBand = 1000;

/** Adds the options that ask for trials of edits. */
export function trialOptions(command: Command): Command {
  return command
    .option("--report <folder>", "without --out: where experiments are written (default: runs/steer-<model>-...)")
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

/** The trials that are asked for; undefined where none are. */
export function trialsOf(args: TrialArguments): TrialChoice | undefined {
  const { sweep: scales, sweepTokens: tokenCounts, sweepSizes: lambdas, compareMethods: methods, perBand } = args;
  if ([scales, tokenCounts, lambdas].every((list) => list === undefined) && !methods) return undefined;
  return { scales, tokenCounts, lambdas, methods, perBand };
}
