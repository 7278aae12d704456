import { axisX, axisY, gridX, gridY, line } from "@observablehq/plot";
import type { DynamicsPageData } from "../../dynamics/dynamics-page-data.js";
import { count, decimal, probability, times } from "../../page/numbers.js";
import { unpackFloat32, unpackInt32, unquantise } from "../../page/packed-numbers.js";
import { crowding } from "../page/cloud/density.js";
import { type Cloud, pointCloud } from "../page/cloud/point-cloud.js";
import { mark, newSelection } from "../page/cloud/selection.js";
import { currentTheme, densityShades } from "../page/colours.js";
import { GRID, paddedDomain } from "../page/figure.js";
import { drawAtEveryWidth, drawFigure, find } from "../page/page.js";
import { findTokens, type TokenTable, tokenTable } from "../page/tokens/token-table.js";
import { describedToken } from "../page/tokens/token-tip.js";
import type { View } from "./dynamics-view.js";
import { MAX_WAYS, waysFigure } from "./ways-figure.js";

/** Time that each checkpoint is shown while it plays, in milliseconds. */
const PLAY_INTERVAL = 450;

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

  const drawWays = drawFigure("path-figure", (width) => {
    const marked = selection.marked.length > 0 ? selection.marked : examples;
    return waysFigure(data, view, tokens, fitted, marked.slice(0, MAX_WAYS))(width);
  });

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
