import type { Corpus } from "../corpus/corpus.js";
import type { GeneratedTexts } from "../generation/generated-texts.js";
import type { HeadModel } from "../model/head/head-model.js";
import type { EditCheck } from "./check/check.js";
import { type CheckText, checkTexts } from "./check/check-texts.js";
import { howItHolds } from "./how-it-holds.js";
import { isGuarded } from "./plan/edit-plan.js";
import type { EditPlan } from "./plan/saved-plan.js";
import type { ProbedEdit } from "./probes/probe-edits.js";
import type { EditSpread } from "./solve/edit-spread.js";
import type { Solution } from "./solve/solution.js";
import { summarizeExperiments } from "./trials/experiment-summary.js";
import type { Experiments } from "./trials/run-experiments.js";
import type { Trial } from "./trials/trial.js";
import type { MeasuredWord } from "./words/measure-words.js";

/** Everything that a run of `unembed steer` found, to be written to run.json and shown on its page. */
export interface SteeringRun {
  readonly model: SteeredModel;
  readonly texts: { readonly [Text in CheckText]?: { readonly files: Corpus["files"] } };
  readonly contextLength: number;
  /** Whether every window began with the begin-of-text token. */
  readonly beginOfText: boolean;
  /** Seed of the bootstrap and of the choice of random tokens. */
  readonly seed: number;
  readonly threads: number;
  readonly seconds: number;
  readonly edit?: WrittenEdit | undefined;
  readonly generated?: GeneratedTexts | undefined;
  readonly experiments?: Experiments | undefined;
}

/** A run that made an edit, not trials alone. */
export interface EditedRun extends SteeringRun {
  readonly edit: WrittenEdit;
}

/** The model that a steering run is about. */
export interface SteeredModel {
  readonly name: string;
  readonly modelType: string;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly dtype: string;
  readonly tied: boolean;
  readonly hasOutputBias: boolean;
}

/** An edit and what the head with it does: one that was written and read back, or one in memory. */
export interface WrittenEdit {
  readonly plan: EditPlan;
  readonly solution: Solution;
  readonly spread?: EditSpread | undefined;
  readonly check: EditCheck;
  /** What each edit does in contexts that no text holds. */
  readonly probed: readonly ProbedEdit[];
  /** What each edit does to its word as a whole, in the order of the plan: undefined for edits of tokens. */
  readonly words?: readonly (MeasuredWord | undefined)[] | undefined;
  /** The folder that it was written to. */
  readonly out?: string | undefined;
}

export function steeredModel({ name, modelType, vocabSize, hiddenSize, dtype, head }: HeadModel): SteeredModel {
  const { tied, bias } = head;
  return { name, modelType, vocabSize, hiddenSize, dtype, tied, hasOutputBias: bias !== undefined };
}

/** What run.json holds of a run under `results` (docs/run-schema.md). */
export function steeringResults({ edit, generated, experiments }: SteeringRun) {
  return {
    edit: edit ? editResults(edit) : null,
    generated: generated ?? null,
    experiments: experiments ? experimentResults(experiments) : null,
  };
}

function editResults({ plan, solution, check, probed, words, out }: WrittenEdit) {
  return {
    out: out ?? null,
    method: plan.method,
    size: plan.lambda,
    calibrate: plan.calibrate,
    guard: isGuarded(plan),
    warnings: solution.warnings,
    edits: plan.edits.map(({ label, tokens, target }, g) => {
      const { probability, norms, idealBias, klToIdeal, klOfIdeal, shortfall } = solution.groups[g]!;
      const { before, wanted, after } = probability;
      return {
        ...{ label, tokens, target, probability, idealBias, klToIdeal, klOfIdeal, norms },
        scale: { wanted: wanted / before, reached: after / before },
        shortfall: shortfall ?? null,
        ...howItHolds(solution.groups[g]!, probed[g]!, words?.[g]),
        measured: Object.fromEntries(
          checkTexts.flatMap((text) => {
            const checked = check[text]?.groups[g];
            return checked ? [[text, checked]] : [];
          }),
        ),
      };
    }),
    collateral: Object.fromEntries(
      checkTexts.flatMap((text) => {
        const checked = check[text];
        return checked ? [[text, checked.collateral]] : [];
      }),
    ),
  };
}

/** Under the names of run.json, where lambda is `size`. */
function experimentResults(experiments: Experiments) {
  const { groups, scales, tokenCounts, methods, lambdas, chosenLambda } = experiments;
  const trials = (list: readonly Trial[] | undefined) =>
    list?.map(({ group, target, method, calibrated, lambda, ...rest }) => {
      return { group, target, method, calibrated, size: lambda, ...rest };
    });
  return {
    ...{ summary: summarizeExperiments(experiments), groups },
    ...{ scales: trials(scales), methods: trials(methods), sizes: trials(lambdas), tokenCounts: trials(tokenCounts) },
    chosenSize: chosenLambda,
  };
}
