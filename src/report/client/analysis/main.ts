import type { PageData } from "../../analysis/page-data.js";
import { probability, times } from "../../page/numbers.js";
import { pointCloud } from "../page/cloud/point-cloud.js";
import { newSelection } from "../page/cloud/selection.js";
import { drawAtEveryWidth, drawFigure, find, followTheme } from "../page/page.js";
import { tokenSearch } from "../page/tokens/token-search.js";
import { landmarks } from "../page/tokens/token-table.js";
import { analysisTokens } from "./analysis-tokens.js";
import {
  type ComponentAxes,
  componentCloud,
  componentControls,
  percentileLegend,
  screeFigure,
} from "./component-figure.js";
import { fitCloud } from "./fit-figure.js";
import { lorenzFigure, refitFigure, saliencyFigure } from "./sparsity-figures.js";
import { uncertaintyFigure } from "./uncertainty-figure.js";

const data: PageData = JSON.parse(find("#data").textContent ?? "");
const tokens = analysisTokens(data);
const selection = newSelection();
const axes: ComponentAxes = { across: 0, up: Math.min(1, data.components.length - 1) };

const fitHolder = find("#fit-figure .chart");
const mapHolder = find("#component-figure .chart");
const drawFit = pointCloud(fitHolder, tokens, selection, landmarks(tokens, 8, 5), fitCloud(tokens));
const drawMap = pointCloud(mapHolder, tokens, selection, landmarks(tokens, 12, 0), componentCloud(data, tokens, axes));
const drawLegend = () => percentileLegend(find("#percentile-legend"));
componentControls(find("#component-controls"), data.components.length, axes, drawMap);
tokenSearch(
  {
    input: find<HTMLInputElement>("#token-search"),
    title: find("#token-list-title"),
    list: find("#token-list"),
    landmarks: landmarks(tokens, 4, 3),
    line: ({ observed, fitted }, i) =>
      `α ${probability(Math.exp(-observed[i]!))}, ${times(Math.exp(fitted[i]! - observed[i]!), "likelier", "rarer")} than fitted`,
  },
  tokens,
  selection,
);

drawAtEveryWidth(fitHolder, drawFit);
drawAtEveryWidth(mapHolder, drawMap);
for (const [id, figure] of Object.entries({
  "scree-figure": screeFigure(data),
  "saliency-figure": saliencyFigure(data),
  "lorenz-figure": lorenzFigure(data),
  "refit-figure": refitFigure(data),
  ...(data.r2Curve.length > 1 && { "uncertainty-figure": uncertaintyFigure(data) }),
})) {
  drawFigure(id, figure);
}
drawLegend();
followTheme(() => {
  drawFit();
  drawMap();
  drawLegend();
});
