import type { DynamicsPageData } from "../../dynamics/dynamics-page-data.js";
import type { Figure } from "../page/figure.js";
import { drawFigure, find, followTheme } from "../page/page.js";
import { movementControls, scaleControls } from "./dynamics-controls.js";
import { lossFigure, movementFigure, smallFigure, trajectoryFigure } from "./dynamics-figures.js";
import type { View } from "./dynamics-view.js";
import { slopeFigure, slopeLegend } from "./slope-figure.js";
import { stepSlider } from "./step-slider.js";

const data: DynamicsPageData = JSON.parse(find("#data").textContent ?? "");
const view: View = { scale: "log", measure: "pathShare" };
const redraws: (() => void)[] = [];
const redraw = () => {
  for (const one of redraws) one();
};

show("trajectory-figure", () => trajectoryFigure(data, view));
if (data.log !== undefined) show("loss-figure", () => lossFigure(data, view));
if (data.movements !== undefined) {
  show("movement-figure", () => movementFigure(data, view));
  movementControls(find("#movement-controls"), find("#movement-legend"), data.movements, view, redraw);
}
show("slope-figure", () => slopeFigure(data));
show("cosine-figure", () => smallFigure(data, view, [{ values: data.slopeCosine, name: "cosine" }]));
show("norm-figure", () => smallFigure(data, view, [{ values: data.meanRowNorm, name: "mean norm" }]));
show("gini-figure", () => smallFigure(data, view, [{ values: data.gini, name: "Gini" }]));
show("variance-figure", () =>
  smallFigure(data, view, [
    { values: data.firstComponent, name: "first" },
    { values: data.tenComponents, name: "first ten" },
  ]),
);
const slider = stepSlider(data, view);
redraws.push(slider.draw);
const drawLegend = () => slopeLegend(find("#slope-legend"));
drawLegend();
redraws.push(drawLegend);
scaleControls(find("#scale-controls"), view, redraw);
followTheme(redraw);

function show(id: string, figure: () => Figure): void {
  redraws.push(drawFigure(id, (width) => figure()(width)));
}
