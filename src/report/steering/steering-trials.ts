import { type CheckText, checkTexts } from "../../steering/check/check-texts.js";
import type { Experiments } from "../../steering/trials/run-experiments.js";
import type { Trial } from "../../steering/trials/trial.js";
import { visibleText, visibleToken } from "../page/visible-text.js";
import { selectorOf } from "./steering-texts.js";

/** One trial as the figures use it. */
export interface TrialPoint {
  /** Place in the names. */
  group: number;
  band: number | undefined;
  /** As the page calls it. */
  way: string;
  wanted: number;
  size: number;
  contexts: number;
  norm: number;
  effects: { [Text in CheckText]?: EffectPoint };
}

export interface EffectPoint {
  actual: number;
  low: number;
  high: number;
  ideal: number;
  /** KL(original || edited), KL(original || ideal), KL(ideal || edited), nats. */
  kl: number;
  klOfIdeal: number;
  klToIdeal: number;
}

/** What the figures of experiments are drawn from. */
export interface ExperimentsPageData {
  names: string[];
  chosenSize: number;
  scales: TrialPoint[] | undefined;
  methods: TrialPoint[] | undefined;
  sizes: TrialPoint[] | undefined;
  tokenCounts: TrialPoint[] | undefined;
}

export const bandNames = ["commonest tokens", "common tokens", "rare tokens"];
export const bandColours = ["var(--accent)", "var(--warm)", "var(--green)"];

/** Digits that a figure can show. */
const DIGITS = 5;

export function experimentsPageData(experiments: Experiments): ExperimentsPageData {
  const { groups, scales, methods, lambdas, tokenCounts, chosenLambda } = experiments;
  const points = (trials: readonly Trial[] | undefined) =>
    trials?.map((trial) => trialPoint(trial, groups[trial.group]!.band));
  return {
    names: groups.map(({ label, tokens }) =>
      tokens.length === 1 ? visibleToken(tokens[0]!.text) : visibleText(selectorOf(label)),
    ),
    chosenSize: chosenLambda,
    scales: points(scales),
    methods: points(methods),
    sizes: points(lambdas),
    tokenCounts: points(tokenCounts),
  };
}

/** A method as the page calls it. */
export function wayName({ method, calibrated, exact }: Pick<Trial, "method" | "calibrated" | "exact">): string {
  if (method === "encoding" && !calibrated) return "paper’s encoding";
  return `${method}${exact ? ", exact" : ""}${calibrated ? "" : ", not calibrated"}`;
}

function trialPoint(trial: Trial, band: number | undefined): TrialPoint {
  const short = (value: number) => Number(value.toPrecision(DIGITS));
  const effects = checkTexts.flatMap((text) => {
    const effect = trial.effects[text];
    if (effect === undefined) return [];
    const { scale, interval, idealScale, kl, klOfIdeal, klToIdeal } = effect;
    const numbers = {
      actual: scale,
      low: interval.low,
      high: interval.high,
      ideal: idealScale,
      kl,
      klOfIdeal,
      klToIdeal,
    };
    return [[text, Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, short(value)]))]];
  });
  return {
    ...{ group: trial.group, band, way: wayName(trial), wanted: short(trial.wantedScale), size: trial.lambda },
    ...{ contexts: trial.contexts, norm: short(trial.norm), effects: Object.fromEntries(effects) },
  };
}
