import {
  axisX,
  axisY,
  dot,
  gridY,
  line,
  type Markish,
  plot,
  pointerX,
  ruleY,
  type ScaleOptions,
  tip,
} from "@observablehq/plot";
import type { DynamicsPageData } from "../../dynamics/dynamics-page-data.js";
import { count, decimal, significant } from "../../page/numbers.js";
import { type Figure, GRID, TIP } from "../page/figure.js";
import { measures, type View } from "./dynamics-view.js";

const MARGINS = { marginLeft: 52, marginRight: 20, marginTop: 14, marginBottom: 40 };

/** The scale of steps: logarithmic from step 1 on and linear below, so that step 0 has its place. */
export function stepScale(steps: readonly number[], { scale }: View): ScaleOptions {
  const domain = [steps[0] ?? 0, Math.max(steps.at(-1) ?? 1, (steps[0] ?? 0) + 1)];
  return scale === "linear" ? { type: "linear", domain } : { type: "symlog", constant: 1, domain };
}

/** Labels of steps that keep apart: the checkpoints themselves on the logarithmic scale. */
export function stepAxis(steps: readonly number[], view: View, width: number): Markish {
  const options = { label: "training step", labelAnchor: "center", labelArrow: "none", labelOffset: 36 } as const;
  const short = (step: number) => (step >= 10_000 ? `${decimal(step / 1000, 0)}k` : count(step));
  if (view.scale === "linear") return axisX({ ...options, ticks: Math.max(3, width / 90), tickFormat: short });
  const room = Math.max(120, width - MARGINS.marginLeft - MARGINS.marginRight);
  const place = (step: number) => {
    const [low, high] = [Math.log1p(steps[0] ?? 0), Math.log1p(steps.at(-1) ?? 1)];
    return ((Math.log1p(step) - low) / (high - low || 1)) * room;
  };
  const kept: number[] = [];
  for (const step of steps.toReversed())
    if (kept.length === 0 || place(kept.at(-1)!) - place(step) >= 44) kept.push(step);
  return axisX(kept, { ...options, tickFormat: short });
}

interface Point {
  step: number;
  value: number;
}

function points(steps: readonly number[], values: readonly number[]): Point[] {
  return steps.map((step, k) => ({ step, value: values[k]! }));
}

function curve(series: Point[], stroke: string, strokeWidth: number, dashes?: string): Markish {
  return line(series, { x: "step", y: "value", stroke, strokeWidth, ...(dashes ? { strokeDasharray: dashes } : {}) });
}

/** R2, rank correlation, null and the layers' paths. */
export function trajectoryFigure(data: DynamicsPageData, view: View): Figure {
  const { steps, movements, onset } = data;
  const layers = movements?.parts.filter(({ layer }) => layer !== null) ?? [];
  const passed = [0.5, 0.9].flatMap((share) => {
    const at = onset[share === 0.5 ? "50" : "90"];
    const final = data.crossValidatedR2.at(-1)!;
    return [
      { step: at.encoding.interpolatedStep, value: share * final, colour: "var(--accent)" },
      { step: at.medianLayerStep, value: share, colour: "var(--warm)" },
    ].filter((mark) => mark.step !== null);
  });
  const rows = steps.map((step, k) => ({ step, value: data.crossValidatedR2[k]!, k }));
  const title = ({ k }: (typeof rows)[number]) =>
    `step ${count(steps[k]!)}\nR² ${decimal(data.r2[k]!, 3)}, cross-validated ${decimal(data.crossValidatedR2[k]!, 3)}\nrank correlation ${decimal(data.spearman[k]!, 3)}\nshuffled ${decimal(data.shuffled[k]!, 3)}`;
  const least = Math.min(0, ...data.crossValidatedR2, ...data.shuffled);
  return (width) =>
    plot({
      width,
      height: Math.min(430, Math.max(280, width * 0.48)),
      ...MARGINS,
      x: stepScale(steps, view),
      y: { domain: [Math.max(-0.5, least - 0.02), 1] },
      clip: true,
      marks: [
        gridY(GRID),
        ruleY([0], { stroke: "var(--muted)" }),
        ...layers.map(({ pathShare }) => curve(points(movements!.steps, pathShare), "var(--warm)", 1)),
        curve(points(steps, data.shuffled), "var(--neutral)", 1.75, "5 3"),
        curve(points(steps, data.spearman), "var(--green)", 1.75),
        curve(points(steps, data.crossValidatedR2), "var(--accent)", 2.5),
        dot(rows, { x: "step", y: "value", fill: "var(--accent)", r: 2.5 }),
        dot(passed, { x: "step", y: "value", stroke: "colour", fill: "var(--surface)", strokeWidth: 2, r: 5 }),
        stepAxis(steps, view, width),
        axisY({ label: null, ticks: 6 }),
        tip(rows, pointerX({ ...TIP, x: "step", y: "value", title })),
      ],
    });
}

export function lossFigure(data: DynamicsPageData, view: View): Figure {
  const log = data.log!.map(({ step, loss }) => ({ step, value: loss }));
  return (width) =>
    plot({
      width,
      height: 190,
      ...MARGINS,
      x: stepScale(data.steps, view),
      y: { nice: true },
      clip: true,
      marks: [
        gridY(GRID),
        curve(log, "var(--neutral)", 1.5),
        stepAxis(data.steps, view, width),
        axisY({ label: null, ticks: 4 }),
        tip(
          log,
          pointerX({
            ...TIP,
            x: "step",
            y: "value",
            title: ({ step, value }: Point) => `step ${count(step)}\nloss ${decimal(value, 3)}`,
          }),
        ),
      ],
    });
}

/** From the first layer to the last. @param share 0 to 1 */
export function layerColour(share: number): string {
  return `color-mix(in srgb, var(--warm) ${Math.round(35 + 65 * share)}%, var(--line))`;
}

export function outerColour(name: string): string {
  if (name === "head") return "var(--accent)";
  return name === "input embedding" ? "var(--violet)" : "var(--green)";
}

/** One measure of every layer and of what lies outside the layers. */
export function movementFigure(data: DynamicsPageData, view: View): Figure {
  const { steps, parts } = data.movements!;
  const layers = parts.filter(({ layer }) => layer !== null);
  const values = parts.flatMap((part) => part[view.measure]);
  const colour = (part: (typeof parts)[number]) =>
    part.layer === null ? outerColour(part.name) : layerColour(layers.indexOf(part) / Math.max(1, layers.length - 1));
  const tips = parts.flatMap((part) =>
    points(steps, part[view.measure]).map((point) => ({ ...point, name: part.name })),
  );
  const title = ({ name, step, value }: (typeof tips)[number]) => `${name}\nstep ${count(step)}: ${significant(value)}`;
  return (width) =>
    plot({
      width,
      height: Math.min(360, Math.max(260, width * 0.4)),
      ...MARGINS,
      x: stepScale(data.steps, view),
      y: { domain: [Math.min(0, ...values), Math.max(...values)], nice: true },
      marks: [
        gridY(GRID),
        ...parts.map((part) => curve(points(steps, part[view.measure]), colour(part), part.layer === null ? 2 : 1.25)),
        stepAxis(data.steps, view, width),
        axisY({
          label: measures[view.measure],
          labelAnchor: "center",
          labelArrow: "none",
          labelOffset: 46,
          ticks: 5,
        }),
        tip(tips, pointerX({ ...TIP, x: "step", y: "value", title })),
      ],
    });
}

const SERIES_COLOURS = ["var(--accent)", "var(--warm)"];

/** One or two series against the step. */
export function smallFigure(
  { steps }: DynamicsPageData,
  view: View,
  series: readonly { values: readonly number[]; name: string }[],
): Figure {
  const rows = series.flatMap(({ values, name }) => points(steps, values).map((point) => ({ ...point, name })));
  const title = ({ step, value, name }: (typeof rows)[number]) => `step ${count(step)}\n${name} ${significant(value)}`;
  return (width) =>
    plot({
      width,
      height: 210,
      ...MARGINS,
      x: stepScale(steps, view),
      y: {
        domain: [Math.min(0, ...rows.map(({ value }) => value)), Math.max(...rows.map(({ value }) => value))],
        nice: true,
      },
      marks: [
        gridY(GRID),
        ...series.map(({ values }, i) => curve(points(steps, values), SERIES_COLOURS[i]!, 2)),
        ...series.map(({ values }, i) =>
          dot(points(steps, values), { x: "step", y: "value", fill: SERIES_COLOURS[i]!, r: 2.5 }),
        ),
        stepAxis(steps, view, width),
        axisY({ label: null, ticks: 5 }),
        tip(rows, pointerX({ ...TIP, x: "step", y: "value", title })),
      ],
    });
}
