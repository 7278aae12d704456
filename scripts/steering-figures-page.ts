// What runs in the browser for steering-figures.ts: the report's figures, each set of panels one SVG file.
import type { Figure } from "../src/report/client/page/figure.js";
import { methodsFigure } from "../src/report/client/steering/methods-figure.js";
import { missFigure, tokensFigure } from "../src/report/client/steering/miss-figures.js";
import { sizesFigure } from "../src/report/client/steering/sizes-figure.js";
import { costFigure, sweepFigure } from "../src/report/client/steering/sweep-figures.js";
import { textColours, textNames } from "../src/report/steering/steering-texts.js";
import {
  bandColours,
  bandNames,
  type ExperimentsPageData,
  type TrialPoint,
} from "../src/report/steering/steering-trials.js";
import { checkTexts } from "../src/steering/check/check-texts.js";
import { type Key, type Panel, sheet } from "./svg-sheet.js";

export interface DrawnFigure {
  readonly name: string;
  readonly svg: string;
}

declare global {
  function drawSteeringFigures(runs: ExperimentsPageData[]): DrawnFigure[];
}

type Experiment = "scales" | "methods" | "sizes" | "tokenCounts";

const bands: Key[] = bandNames.map((name, band) => ({ mark: "dot", colour: bandColours[band]!, name }));
const bias: Key = { mark: "ring", colour: "var(--ink)", name: "the true logit bias" };
const paper: Key = { mark: "cross", colour: "var(--muted)", name: "the paper’s direction" };
const edit: Key = { mark: "line", colour: "var(--muted)", name: "the edit" };
const dashedBias: Key = { mark: "dashes", colour: "var(--muted)", name: "the true logit bias" };
const median: Key = { mark: "bar", colour: "var(--muted)", name: "the median" };
const hit: Key = { mark: "thin", colour: "var(--muted)", name: "a hit" };

globalThis.drawSteeringFigures = (runs) => [
  ...drawn(runs, "scales", (data, points) => {
    const texts = textsOf(points);
    const unseen = texts.filter((text) => text !== "fit");
    return [
      ["steering-scales", [...bands, bias, paper, hit], panels(texts, (text) => sweepFigure(data, text))],
      ["steering-misses", [...bands, edit, dashedBias], panels(unseen, (text) => missFigure(data, text))],
      ["steering-cost", [...bands, bias], panels(texts, (text) => costFigure(data, text))],
    ];
  }),
  ...drawn(runs, "methods", (data, points) => [
    ["steering-methods", [...textKeys(points), median], [{ heading: "", figure: methodsFigure(data) }]],
  ]),
  ...drawn(runs, "sizes", (data, points) => [
    [
      "steering-sizes",
      [...textKeys(points), { ...bias, name: "the λ in use" }],
      [{ heading: "", figure: sizesFigure(data) }],
    ],
  ]),
  ...drawn(runs, "tokenCounts", (data, points) => [
    ["steering-little-text", [...textKeys(points), edit, dashedBias], [{ heading: "", figure: tokensFigure(data) }]],
  ]),
];

const titles: Record<string, string> = {
  "steering-scales": "Actual against wanted factor",
  "steering-misses": "How far off edits are on unseen text",
  "steering-cost": "Divergence between original and edited model",
  "steering-methods": "Methods beside one another",
  "steering-sizes": "Faithfulness against size",
  "steering-little-text": "Misses against tokens fitted on",
};

type Sheet = [name: string, keys: Key[], panels: Panel[]];

function drawn(
  runs: readonly ExperimentsPageData[],
  experiment: Experiment,
  draw: (data: ExperimentsPageData, points: readonly TrialPoint[]) => Sheet[],
): DrawnFigure[] {
  const data = runs.findLast((run) => run[experiment] !== undefined);
  const points = data?.[experiment];
  if (data === undefined || points === undefined) return [];
  const note = measured(experiment, points);
  return draw(data, points).map(([name, keys, parts]) => ({
    name,
    svg: sheet(titles[name] ?? name, { keys, panels: parts, note }),
  }));
}

/** How much was measured, in words: the figures' only source of it, so that it is never another run's. */
function measured(experiment: Experiment, points: readonly TrialPoint[]): string {
  const ways = new Set(points.map(({ way }) => way)).size;
  const tokens = new Set(points.map(({ group }) => group)).size;
  const edits = new Set(points.map(({ group, wanted }) => `${group} ${wanted}`)).size;
  const fitted = Math.max(...points.map(({ contexts }) => contexts)).toLocaleString("en");
  const each = {
    scales: ways > 1 ? ", each also along the paper’s direction" : "",
    methods: `, each by ${ways} methods`,
    sizes: `, each with ${new Set(points.map(({ size }) => size)).size} λ`,
    tokenCounts: "",
  }[experiment];
  const most = experiment === "tokenCounts" ? "up to " : "";
  return `${edits.toLocaleString("en")} edits of ${tokens.toLocaleString("en")} tokens${each}, fitted on ${most}${fitted} tokens of text`;
}

function textsOf(points: readonly TrialPoint[]) {
  return checkTexts.filter((text) => points.some(({ effects }) => effects[text]));
}

function textKeys(points: readonly TrialPoint[]): Key[] {
  return textsOf(points).map((text) => ({ mark: "dot", colour: textColours[text], name: textNames[text] }));
}

function panels(texts: ReturnType<typeof textsOf>, figure: (text: (typeof texts)[number]) => Figure): Panel[] {
  return texts.map((text) => ({ heading: textNames[text], figure: figure(text) }));
}
