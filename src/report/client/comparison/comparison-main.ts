import type { ComparisonPageData } from "../../comparison/comparison-page-data.js";
import { probability, times } from "../../page/numbers.js";
import { unpackFloat32, unpackInt32 } from "../../page/packed-numbers.js";
import { choice } from "../page/choice.js";
import { pointCloud } from "../page/cloud/point-cloud.js";
import { newSelection } from "../page/cloud/selection.js";
import { drawAtEveryWidth, drawFigure, find, followTheme } from "../page/page.js";
import { tokenSearch } from "../page/tokens/token-search.js";
import { landmarks, type TokenTable, tokenTable } from "../page/tokens/token-table.js";
import { describedToken } from "../page/tokens/token-tip.js";
import { exceedanceFigure, spreadFigure } from "./divergence-figures.js";
import { type Height, heights, probabilityCloud } from "./probability-cloud.js";

const data: ComparisonPageData = JSON.parse(find("#data").textContent ?? "");
const tokens = tokenTable({
  texts: data.tokens,
  ids: unpackInt32(data.ids),
  counts: [],
  observed: unpackFloat32(data.a),
  fitted: unpackFloat32(data.b),
});
const selection = newSelection();
const view: { height: Height } = { height: "after" };

const holder = find("#probability-figure .chart");
const draw = pointCloud(
  holder,
  tokens,
  selection,
  landmarks(tokens, 6, 6),
  probabilityCloud(tokens, view),
  (table, i) =>
    describedToken(table, i, [
      ["α under A", probability(Math.exp(-table.observed[i]!))],
      ["α under B", probability(Math.exp(-table.fitted[i]!))],
      ["under B", change(table, i)],
    ]),
);
choice(find("#probability-controls"), "up", heights, view.height, (height) => {
  view.height = height;
  draw();
});
tokenSearch(
  {
    input: find<HTMLInputElement>("#token-search"),
    title: find("#token-list-title"),
    list: find("#token-list"),
    landmarks: landmarks(tokens, 4, 3),
    line: (table, i) => `α ${probability(Math.exp(-table.observed[i]!))}, under B ${change(table, i)}`,
  },
  tokens,
  selection,
);
drawAtEveryWidth(holder, draw);
if (data.divergences.kl.bins.length > 0 || data.divergences.js.bins.length > 0) {
  drawFigure("spread-figure", spreadFigure(data.divergences));
  drawFigure("exceedance-figure", exceedanceFigure(data.divergences));
}
followTheme(draw);

function change({ observed, fitted }: TokenTable, i: number): string {
  return times(Math.exp(observed[i]! - fitted[i]!), "likelier", "rarer");
}
