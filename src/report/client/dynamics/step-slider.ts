import { axisX, axisY, dot, gridX, gridY, line, plot, text } from "@observablehq/plot";
import type { DynamicsPageData } from "../../dynamics/dynamics-page-data.js";
import { count, decimal, probability, times } from "../../page/numbers.js";
import { unpackFloat32, unpackInt32, unquantise } from "../../page/packed-numbers.js";
import { visibleToken } from "../../page/visible-text.js";
import { currentTheme, densityShades } from "../page/colours.js";
import { crowding } from "../page/density.js";
import { GRID, paddedDomain } from "../page/figure.js";
import { drawAtEveryWidth, find } from "../page/page.js";
import { type Cloud, pointCloud } from "../page/point-cloud.js";
import { mark, newSelection } from "../page/selection.js";
import { findTokens, type TokenTable, tokenTable } from "../page/token-table.js";
import { describedToken } from "../page/token-tip.js";
import { stepAxis, stepScale } from "./dynamics-figures.js";
import type { View } from "./dynamics-view.js";

/** Time that each checkpoint is shown while it plays, in milliseconds. */
const PLAY_INTERVAL = 450;
/** Ways of tokens drawn at once, and marked by one search. */
const MAX_WAYS = 6;
const WAY_COLOURS = ["accent", "warm", "green", "violet", "gold", "neutral"].map((name) => `var(--${name})`);

/** The scatter plot of fitted against true with its slider, and the ways of the tokens marked in it. */
export function stepSlider(data: DynamicsPageData, view: View): { draw: () => void } {
  const fitted = data.fitted.map(unquantise);
  const tokens = tokenTable({
    texts: data.tokens,
    ids: unpackInt32(data.ids),
    counts: [],
    observed: unpackFloat32(data.observed),
    fitted: fitted.at(-1)!,
  });
  const selection = newSelection();
  // First and last checkpoints alone tell how far the axes must reach: a transient overshoot leaves the frame.
  const domain = paddedDomain(tokens.observed, fitted.at(-1)!);
  const slider = find<HTMLInputElement>("#step");
  const name = find("#step-name");
  slider.max = `${fitted.length - 1}`;
  slider.value = slider.max;
  const chosen = () => Number(slider.value);

  const cloud = (width: number): Cloud => ({
    x: tokens.observed,
    y: fitted[chosen()]!.map((value) => (value < domain[0] || value > domain[1] ? Number.NaN : value)),
    options: {
      height: Math.min(width, 640),
      marginTop: 12,
      marginRight: 14,
      marginBottom: 42,
      marginLeft: 52,
      x: { domain },
      y: { domain },
      marks: [
        gridX({ ticks: 8, ...GRID }),
        gridY({ ticks: 8, ...GRID }),
        axisX({ ticks: 8, label: "true −log f (nats)", labelAnchor: "center", labelArrow: "none", labelOffset: 38 }),
        axisY({ ticks: 8, label: "fitted −log f (nats)", labelAnchor: "center", labelArrow: "none", labelOffset: 48 }),
        line(
          domain.map((end) => [end, end]),
          { stroke: "var(--warm)", strokeWidth: 1.5 },
        ),
      ],
    },
    shade: crowding,
    shades: densityShades(currentTheme()),
    rounds: 1,
  });
  const describe = (_: TokenTable, i: number): HTMLElement[] => {
    const now = fitted[chosen()]![i]!;
    return describedToken(tokens, i, [
      ["true f", probability(Math.exp(-tokens.observed[i]!))],
      ["fitted f", probability(Math.exp(-now))],
      ["true is", times(Math.exp(now - tokens.observed[i]!), "likelier", "rarer")],
    ]);
  };
  const cloudHolder = find("#fit-figure .chart");
  const examples = exampleTokens(tokens);
  const drawCloud = pointCloud(cloudHolder, tokens, selection, examples, cloud, describe);

  const wayHolder = find("#path-figure .chart");
  const drawWays = () => {
    if (wayHolder.clientWidth === 0) return;
    const marked = (selection.marked.length > 0 ? selection.marked : examples).slice(0, MAX_WAYS);
    const steps = data.shown.map((k) => data.steps[k]!);
    const ways = marked.map((token, i) => ({
      colour: WAY_COLOURS[i]!,
      token,
      line: fitted.map((values, k) => ({ step: steps[k]!, value: values[token]! })),
    }));
    const labels = spreadLabels(
      ways.map(({ token, line: way, colour }) => ({ token, colour, value: way.at(-1)!.value })),
    );
    const atEnd = { x: () => steps.at(-1), y: "value", textAnchor: "start" } as const;
    const width = wayHolder.clientWidth;
    const chart = plot({
      width,
      height: 260,
      marginLeft: 36,
      marginRight: 96,
      marginTop: 10,
      marginBottom: 40,
      x: stepScale(data.steps, view),
      y: { nice: true },
      marks: [
        gridY(GRID),
        ...ways.map(({ line: way, colour }) => line(way, { x: "step", y: "value", stroke: colour, strokeWidth: 1.75 })),
        ...ways.map(({ token, colour }) =>
          dot([tokens.observed[token]!], {
            x: () => steps.at(-1),
            y: (value: number) => value,
            stroke: colour,
            fill: "var(--surface)",
            strokeWidth: 2,
            r: 3.5,
            dx: 7,
          }),
        ),
        text(labels, { ...atEnd, text: () => "━", fill: "colour", dx: 14 }),
        text(labels, {
          ...atEnd,
          text: ({ token }: { token: number }) => visibleToken(tokens.texts[token]!).slice(0, 9),
          dx: 28,
        }),
        stepAxis(steps, view, width - 60),
        axisY({ label: null, ticks: 5 }),
      ],
    });
    chart.setAttribute("role", "img");
    chart.setAttribute("aria-label", wayHolder.dataset.label ?? "");
    wayHolder.replaceChildren(chart);
  };

  const drawStep = () => {
    const k = data.shown[chosen()]!;
    name.textContent = `step ${count(data.steps[k]!)}: R² ${decimal(data.r2[k]!, 3)}, cross-validated ${decimal(data.crossValidatedR2[k]!, 3)}`;
    slider.setAttribute("aria-valuetext", name.textContent);
    drawCloud();
  };
  slider.addEventListener("input", drawStep);
  let drawnFor = selection.marked;
  selection.listeners.push(() => {
    if (selection.marked === drawnFor) return;
    drawnFor = selection.marked;
    drawWays();
  });
  const search = find<HTMLInputElement>("#token-search");
  search.addEventListener("input", () => mark(selection, findTokens(tokens, search.value, MAX_WAYS)));
  play(find<HTMLButtonElement>("#play"), slider, drawStep);
  drawAtEveryWidth(cloudHolder, drawStep);
  drawAtEveryWidth(wayHolder, drawWays);
  return {
    draw() {
      drawStep();
      drawWays();
    },
  };
}

/** Runs through the checkpoints from the first, or from where it was stopped. */
function play(button: HTMLButtonElement, slider: HTMLInputElement, draw: () => void): void {
  let timer: number | undefined;
  const stop = () => {
    window.clearInterval(timer);
    timer = undefined;
    button.textContent = "Play";
  };
  button.addEventListener("click", () => {
    if (timer !== undefined) return stop();
    if (slider.value === slider.max) slider.value = "0";
    button.textContent = "Stop";
    draw();
    timer = window.setInterval(() => {
      slider.value = `${Number(slider.value) + 1}`;
      draw();
      if (slider.value === slider.max) stop();
    }, PLAY_INTERVAL);
  });
  slider.addEventListener("pointerdown", stop);
}

/** Tokens worth following before anyone asks: from the likeliest to the rarest, words rather than pieces. */
function exampleTokens({ texts, byProbability, size }: TokenTable): number[] {
  const isWord = (token: number) => /^ ?\p{L}{2,}$/u.test(texts[token]!);
  return [0.002, 0.03, 0.2, 0.5, 0.9].flatMap((share) => {
    const from = Math.floor(share * size);
    const found = byProbability.subarray(from).find(isWord);
    return [found ?? byProbability[from]!];
  });
}

/** Moves labels apart that would lie over one another, in nats of the axis. */
function spreadLabels<Label extends { value: number }>(labels: Label[]): Label[] {
  const sorted = [...labels].sort((a, b) => a.value - b.value);
  const range = Math.max(1, (sorted.at(-1)?.value ?? 1) - (sorted[0]?.value ?? 0));
  const least = range * 0.07;
  let before = Number.NEGATIVE_INFINITY;
  return sorted.map((label) => {
    before = Math.max(label.value, before + least);
    return { ...label, value: before };
  });
}
