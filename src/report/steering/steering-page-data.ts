import type { CheckText } from "../../steering/check/check-texts.js";
import { isInContext } from "../../steering/plan/word-edits.js";
import type { SteeringRun, WrittenEdit } from "../../steering/steering-run.js";
import { visibleText, visibleToken } from "../page/visible-text.js";
import { type ProbedPoints, probedPoints } from "./probed-points.js";
import { measuredTexts, SHOWN_EDITS } from "./steering-sections.js";
import { selectorOf } from "./steering-texts.js";
import { type ExperimentsPageData, experimentsPageData } from "./steering-trials.js";

/** What the figures of a steering run's report are drawn from, as it lies in the page. */
export interface SteeringPageData {
  edits: EditPoint[];
  probes: ProbedPoints[];
  experiments: ExperimentsPageData | undefined;
}

/** One edit on one text; factors on the mean probability. */
export interface EditPoint {
  edit: number;
  name: string;
  text: CheckText;
  wanted: number;
  actual: number;
  low: number;
  high: number;
  ideal: number;
}

export function steeringPageData({ edit, experiments }: SteeringRun): SteeringPageData {
  return {
    edits: edit === undefined ? [] : editPoints(edit),
    probes: edit === undefined ? [] : probedPoints(edit),
    experiments: experiments && experimentsPageData(experiments),
  };
}

function editPoints({ plan, solution, check }: WrittenEdit): EditPoint[] {
  return plan.edits.slice(0, SHOWN_EDITS).flatMap(({ tokens, label, prefix, target }, edit) =>
    (isInContext({ prefix, target }) ? [] : measuredTexts(check)).map((text) => {
      const { probability } = solution.groups[edit]!;
      const { scale, interval, idealScale } = check[text]!.groups[edit]!;
      return {
        edit,
        name: tokens.length === 1 ? visibleToken(tokens[0]!.text) : visibleText(selectorOf(label)),
        text,
        wanted: probability.wanted / probability.before,
        actual: scale,
        ...interval,
        ideal: idealScale,
      };
    }),
  );
}
