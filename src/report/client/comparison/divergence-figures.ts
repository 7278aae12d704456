import { areaY, axisX, axisY, gridY, line, plot, pointer, pointerX, ruleY, tip } from "@observablehq/plot";
import {
  type ComparisonPageData,
  type DivergenceName,
  divergenceLooks,
} from "../../comparison/comparison-page-data.js";
import { percent, significant } from "../../page/numbers.js";
import { type Figure, GRID, TIP } from "../page/figure.js";
import { type Axes, domainOf, logarithmic, plain, plainPercent, powersOf } from "../page/log-figure.js";

type Divergences = ComparisonPageData["divergences"];

/** Histogram over all contexts: the divergence of B from A as an area, Jensen-Shannon as an outline. */
export function spreadFigure({ kl, js }: Divergences): Figure {
  const edges = [...kl.bins, ...js.bins].flatMap(({ from, to }) => [from, to]);
  const domain = [Math.min(...edges), Math.max(...edges)];
  const rows = (["kl", "js"] as const).flatMap((name) =>
    ({ kl, js })[name].bins.map((bin) => ({ ...bin, name, middle: Math.sqrt(bin.from * bin.to) })),
  );
  const title = ({ name, from, to, share }: (typeof rows)[number]) =>
    `${divergenceLooks[name].name}\n${significant(from)} to ${significant(to)} nats\n${percent(share)} of the contexts`;
  return (width) => {
    const ticks = powersOf(domain, width / 60);
    return plot({
      width,
      height: 300,
      marginLeft: 52,
      marginRight: 16,
      marginTop: 14,
      marginBottom: 44,
      x: { type: "log", domain },
      y: { domain: [0, Math.max(...rows.map(({ share }) => share)) * 1.05] },
      marks: [
        gridY(GRID),
        areaY(outline(kl.bins), { x: "x", y1: 0, y2: "y", fill: divergenceLooks.kl.colour, fillOpacity: 0.3 }),
        line(outline(kl.bins), { x: "x", y: "y", stroke: divergenceLooks.kl.colour, strokeWidth: 1.5 }),
        line(outline(js.bins), { x: "x", y: "y", stroke: divergenceLooks.js.colour, strokeWidth: 2 }),
        ruleY([0]),
        axisX(ticks, { text: plain, label: "nats", labelAnchor: "center", labelArrow: "none", labelOffset: 38 }),
        axisY({ label: null, ticks: 5, tickFormat: plainPercent }),
        tip(rows, pointerX({ ...TIP, x: "middle", y: "share", title })),
      ],
    });
  };
}

/** The corners of a histogram's steps, from the ground to the ground. */
function outline(bins: Divergences["kl"]["bins"]): { x: number; y: number }[] {
  const [first, last] = [bins[0], bins.at(-1)];
  if (first === undefined || last === undefined) return [];
  const steps = bins.flatMap(({ from, to, share }) => [
    { x: from, y: share },
    { x: to, y: share },
  ]);
  return [{ x: first.from, y: 0 }, ...steps, { x: last.to, y: 0 }];
}

/** Share of the contexts that differ by at least so much, a curve for each divergence. */
export function exceedanceFigure(divergences: Divergences): Figure {
  const names = Object.keys(divergenceLooks) as DivergenceName[];
  const rows = names.flatMap((name) => divergences[name].exceedance.map((point) => ({ ...point, name })));
  const axes: Axes = {
    x: { label: "nats, or more", domain: domainOf(rows.map(({ value }) => value)) },
    y: {
      label: "share of the contexts",
      domain: domainOf([1, ...rows.map(({ share }) => share)]),
      tickFormat: plainPercent,
    },
    height: () => 300,
  };
  const title = ({ name, share, value }: (typeof rows)[number]) =>
    `${percent(share)} of the contexts:\n${divergenceLooks[name].name} of ${significant(value)} nats or more`;
  return logarithmic(axes, () => [
    ...names.map((name) =>
      line(divergences[name].exceedance, {
        x: "value",
        y: "share",
        stroke: divergenceLooks[name].colour,
        strokeWidth: 2,
        ...(name === "reverseKl" ? { strokeDasharray: "5 6" } : {}),
      }),
    ),
    tip(rows, pointer({ ...TIP, x: "value", y: "share", title })),
  ]);
}
