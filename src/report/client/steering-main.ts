import type { SteeringPageData } from "../steering-page-data.js";
import { drawFigure, find, followTheme } from "./page.js";
import { ratioFigure, scaleFigure } from "./steering-figures.js";

const data: SteeringPageData = JSON.parse(find("#data").textContent ?? "");

if (data.edits.length > 0) {
  drawFigure("ratio-figure", ratioFigure(data.edits));
  drawFigure("scale-figure", scaleFigure(data.edits));
}
// Every figure is SVG with colours from the style sheet: nothing to draw anew in another theme.
followTheme(() => {});
