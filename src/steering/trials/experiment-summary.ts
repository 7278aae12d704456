import { finiteMedian } from "../../measures/median.js";
import { type CheckText, checkTexts } from "../check/check-texts.js";
import type { Experiments } from "./run-experiments.js";
import { idealMissOf, missOf, type Trial } from "./trial.js";

/** What trials of one kind have in common; misses are |ln(actual / wanted)|. */
export interface TrialSummary {
  readonly trials: number;
  readonly texts: {
    readonly [Text in CheckText]?: {
      readonly medianMiss: number;
      readonly largestMiss: number;
      /** Of the true logit bias, calibrated on the same text. */
      readonly idealMedianMiss: number;
      /** KL(ideal || edited) as a share of KL(original || ideal). */
      readonly medianKlShare: number;
      readonly largestKlShare: number;
    };
  };
  /** Of |x|, and of |x| / |ln r|. */
  readonly medianNorm: number;
  readonly medianNormPerLogarithm: number;
}

/** Trials of one method, summed up. */
export interface MethodSummary extends TrialSummary, Pick<Trial, "method" | "calibrated" | "exact"> {}

/** What experiments come to: the tables of the page, of the terminal and of `--json`. */
export interface ExperimentsSummary {
  /** The sweep over scales, by frequency band and method. */
  readonly scales?: readonly (MethodSummary & { readonly band: number })[] | undefined;
  readonly methods?: readonly MethodSummary[] | undefined;
  readonly sizes?: readonly (TrialSummary & { readonly size: number; readonly chosen: boolean })[] | undefined;
  readonly tokenCounts?: readonly (TrialSummary & { readonly contexts: number })[] | undefined;
}

/** Medians of experiments' trials, by what each kind of trial varies. */
export function summarizeExperiments({ groups, scales, methods, lambdas, tokenCounts, chosenLambda }: Experiments) {
  const way = ({ method, calibrated, exact }: Trial) => ({ method, calibrated, exact });
  return {
    scales: scales && summaries(scales, (trial) => ({ band: groups[trial.group]!.band!, ...way(trial) })),
    methods: methods && summaries(methods, way),
    sizes: lambdas && summaries(lambdas, ({ lambda }) => ({ size: lambda, chosen: lambda === chosenLambda })),
    tokenCounts: tokenCounts && summaries(tokenCounts, ({ contexts }) => ({ contexts })),
  } satisfies ExperimentsSummary;
}

function summaries<Kind extends object>(
  trials: readonly Trial[],
  kindOf: (trial: Trial) => Kind,
): (Kind & TrialSummary)[] {
  const kinds = new Map<string, { kind: Kind; trials: Trial[] }>();
  for (const trial of trials) {
    const kind = kindOf(trial);
    const key = JSON.stringify(kind);
    const known = kinds.get(key) ?? { kind, trials: [] };
    known.trials.push(trial);
    kinds.set(key, known);
  }
  return [...kinds.values()].map((one) => ({ ...one.kind, ...summary(one.trials) }));
}

function summary(trials: readonly Trial[]): TrialSummary {
  const texts = checkTexts.flatMap((text) => {
    const seen = trials.filter(({ effects }) => effects[text] !== undefined);
    if (seen.length === 0) return [];
    const misses = seen.map((trial) => missOf(trial, text));
    const shares = seen.map((trial) => klShareOf(trial, text));
    const numbers = {
      medianMiss: finiteMedian(misses),
      largestMiss: Math.max(...misses),
      idealMedianMiss: finiteMedian(seen.map((trial) => idealMissOf(trial, text))),
      medianKlShare: finiteMedian(shares),
      largestKlShare: Math.max(...shares),
    };
    return [[text, numbers]];
  });
  return {
    trials: trials.length,
    texts: Object.fromEntries(texts),
    medianNorm: finiteMedian(trials.map(({ norm }) => norm)),
    medianNormPerLogarithm: finiteMedian(trials.map(({ norm, wantedScale }) => norm / Math.abs(Math.log(wantedScale)))),
  };
}

/** KL(ideal || edited) as a share of KL(original || ideal), on one text. */
function klShareOf({ effects }: Trial, text: CheckText): number {
  const { klToIdeal = Number.NaN, klOfIdeal = Number.NaN } = effects[text] ?? {};
  return klToIdeal / klOfIdeal;
}
