import { checkTexts } from "../../../steering/check/check-texts.js";
import type { SteeringPageData } from "../../steering/steering-page-data.js";
import { choice } from "../page/choice.js";
import { drawFigure, find, followTheme } from "../page/page.js";
import { methodsFigure } from "./methods-figure.js";
import { missFigure, tokensFigure } from "./miss-figures.js";
import { probesFigure } from "./probes-figure.js";
import { sizesFigure } from "./sizes-figure.js";
import { ratioFigure, scaleFigure } from "./steering-figures.js";
import { costFigure, sweepFigure } from "./sweep-figures.js";

const data: SteeringPageData = JSON.parse(find("#data").textContent ?? "");

if (data.edits.length > 0) {
  drawFigure("ratio-figure", ratioFigure(data.edits));
  drawFigure("scale-figure", scaleFigure(data.edits));
}
if (data.probes.length > 0) {
  let shown = 0;
  const redraw = drawFigure("probes-figure", (width) => probesFigure(data.probes[shown]!)(width));
  if (data.probes.length > 1) {
    const names = Object.fromEntries(data.probes.map(({ name }, place) => [place, name]));
    choice<string>(find("#probes-controls"), "edit", names, "0", (place) => {
      shown = Number(place);
      redraw();
    });
  }
}
const { experiments } = data;
if (experiments?.scales) {
  for (const text of checkTexts) {
    if (!experiments.scales.some(({ effects }) => effects[text])) continue;
    drawFigure(`sweep-${text}`, sweepFigure(experiments, text));
    if (text !== "fit") drawFigure(`miss-${text}`, missFigure(experiments, text));
  }
  drawFigure("sweep-cost", costFigure(experiments));
}
if (experiments?.methods) drawFigure("methods-figure", methodsFigure(experiments));
if (experiments?.sizes) drawFigure("sizes-figure", sizesFigure(experiments));
if (experiments?.tokenCounts) drawFigure("tokens-figure", tokensFigure(experiments));
// Every figure is SVG with colours from the style sheet: nothing to draw anew in another theme.
followTheme(() => {});
