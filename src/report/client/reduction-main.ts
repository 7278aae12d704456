import type { ReductionPageData } from "../reduction-page-data.js";
import { drawAtEveryWidth, find, followTheme } from "./page.js";
import { curveFigure, curveLegend, type Figure, r2Figure } from "./reduction-figures.js";

const data: ReductionPageData = JSON.parse(find("#data").textContent ?? "");

if (data.curve.length > 0) {
  curveLegend(find("#curve-legend"), data.curve);
  show("kl-figure", curveFigure(data, "kl"));
  show("top1-figure", curveFigure(data, "top1"));
  show("perplexity-figure", curveFigure(data, "perplexity"));
}
if (data.encoding.length > 0) show("encoding-figure", r2Figure(data));
followTheme(() => {});

function show(id: string, figure: Figure): void {
  const holder = find(`#${id} .chart`);
  drawAtEveryWidth(holder, () => {
    const chart = figure(holder.clientWidth);
    chart.setAttribute("role", "img");
    chart.setAttribute("aria-label", holder.dataset.label ?? "");
    holder.replaceChildren(chart);
  });
}
