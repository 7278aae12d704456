import type { ReductionPageData } from "../../reduction/reduction-page-data.js";
import { drawFigure, find, followTheme } from "../page/page.js";
import { curveLegend, orderLegend } from "./method-looks.js";
import { curveFigure, r2Figure } from "./reduction-figures.js";

const data: ReductionPageData = JSON.parse(find("#data").textContent ?? "");

if (data.curve.length > 0) {
  curveLegend(find("#curve-legend"), data.curve);
  drawFigure("kl-figure", curveFigure(data, "kl"));
  drawFigure("top1-figure", curveFigure(data, "top1"));
  drawFigure("perplexity-figure", curveFigure(data, "perplexity"));
}
if (data.encoding.length > 0) {
  orderLegend(find("#encoding-legend"), data.encoding);
  drawFigure("encoding-figure", r2Figure(data));
}
// Every figure is SVG with colours from the style sheet: nothing to draw anew in another theme.
followTheme(() => {});
