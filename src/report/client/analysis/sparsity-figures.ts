import {
  areaY,
  axisX,
  axisY,
  dot,
  gridY,
  line,
  lineY,
  type Markish,
  plot,
  pointerX,
  ruleX,
  ruleY,
  text,
  tip,
} from "@observablehq/plot";
import type { PageData } from "../../analysis/page-data.js";
import { count, decimal, percent, significant } from "../../page/numbers.js";
import { unpackFloat32, unpackInt32 } from "../../page/packed-numbers.js";
import { type Figure, GRID, TIP } from "../page/figure.js";

/** Shades of the dimensions that hold the first 50, 80 and 95% of the saliency, and of the rest. */
const SHARES = [
  { share: "50", colour: "var(--mass-0)" },
  { share: "80", colour: "var(--mass-1)" },
  { share: "95", colour: "var(--mass-2)" },
] as const;
const REST = "var(--mass-3)";

/** Saliency against rank, in shades by how much of the total is reached. */
export function saliencyFigure(data: PageData): Figure {
  const saliency = unpackFloat32(data.saliency);
  const slopes = unpackFloat32(data.slopes);
  const tValues = unpackFloat32(data.tValues);
  const dimensions = Array.from(unpackInt32(data.order), (dimension, i) => ({
    rank: i + 1,
    dimension,
    saliency: saliency[dimension]!,
    slope: slopes[dimension]!,
    t: tValues[dimension]!,
  }));
  const title = (entry: (typeof dimensions)[number]) =>
    `dimension ${entry.dimension}, rank ${entry.rank}\nsaliency ${significant(entry.saliency)} nats\nslope A ${significant(entry.slope)}\nt ${decimal(entry.t, 1)}`;
  const highest = dimensions[0]?.saliency || 1;
  const edges = SHARES.map(({ share }) => ({ share, at: data.dimensionsFor[share] }));
  return (width) =>
    plot({
      width,
      height: Math.min(340, Math.max(240, width * 0.5)),
      marginLeft: 60,
      marginBottom: 40,
      marginTop: 24,
      x: { domain: [0, dimensions.length] },
      y: { domain: [0, highest * 1.04] },
      marks: [
        gridY(GRID),
        ...saliencyAreas(dimensions, data),
        ruleX(edges, { x: "at", stroke: "var(--muted)", strokeDasharray: "2 3" }),
        text(edges, {
          x: "at",
          frameAnchor: "top-left",
          dy: -16,
          text: ({ at, share }: { at: number; share: string }) =>
            width < 480 ? `${share}%` : `${count(at)}: ${share}%`,
          fill: "var(--muted)",
          textAnchor: "middle",
        }),
        ruleY([0]),
        axisX({ label: "dimensions, most salient first", labelAnchor: "center", labelArrow: "none", labelOffset: 36 }),
        axisY({ label: "saliency (nats)", labelAnchor: "center", labelArrow: "none", labelOffset: 54 }),
        tip(dimensions, pointerX({ ...TIP, x: (entry: { rank: number }) => entry.rank - 0.5, y: "saliency", title })),
      ],
    });
}

/** One stepped area per shade: dimension of rank k covers k - 1 to k. */
function saliencyAreas(dimensions: { rank: number; saliency: number }[], { dimensionsFor }: PageData): Markish[] {
  const ends = [
    ...SHARES.map(({ share, colour }) => ({ end: dimensionsFor[share], colour })),
    { end: dimensions.length, colour: REST },
  ];
  return ends.map(({ end, colour }, i) => {
    const start = i === 0 ? 0 : ends[i - 1]!.end;
    const steps = dimensions.slice(start, end).flatMap(({ rank, saliency }) => [
      { x: rank - 1, saliency },
      { x: rank, saliency },
    ]);
    return areaY(steps, { x: "x", y1: 0, y2: "saliency", fill: colour });
  });
}

/** Lorenz curve: share of the saliency held by the least salient share of the dimensions. */
export function lorenzFigure(data: PageData): Figure {
  const lorenz = unpackFloat32(data.lorenz);
  const curve = [{ share: 0, held: 0 }, ...Array.from(lorenz, (held, i) => ({ share: (i + 1) / lorenz.length, held }))];
  const title = ({ share, held }: (typeof curve)[number]) =>
    `the least salient ${percent(share, 0)}\nof the dimensions hold\n${percent(held, 1)} of the saliency`;
  const asPercent = (share: number) => percent(share, 0);
  return (width) =>
    plot({
      width,
      height: Math.min(340, Math.max(240, width * 0.85)),
      marginLeft: 60,
      marginBottom: 40,
      marginTop: 24,
      marginRight: 24,
      x: { domain: [0, 1] },
      y: { domain: [0, 1] },
      marks: [
        gridY(GRID),
        areaY(curve, { x: "share", y1: "share", y2: "held", fill: "var(--accent-soft)" }),
        line(
          [
            [0, 0],
            [1, 1],
          ],
          { stroke: "var(--muted)", strokeDasharray: "3 3" },
        ),
        lineY(curve, { x: "share", y: "held", stroke: "var(--accent)", strokeWidth: 2 }),
        text([`Gini ${decimal(data.gini, 3)}`], {
          x: 0.06,
          y: 0.93,
          textAnchor: "start",
          fontSize: 14,
          fontWeight: 600,
        }),
        axisX({
          label: "dimensions, least salient first",
          labelAnchor: "center",
          labelArrow: "none",
          tickFormat: asPercent,
          ticks: 5,
          labelOffset: 36,
        }),
        axisY({
          label: "saliency held",
          labelAnchor: "center",
          labelArrow: "none",
          tickFormat: asPercent,
          ticks: 5,
          labelOffset: 54,
        }),
        tip(curve, pointerX({ ...TIP, x: "share", y: "held", title })),
      ],
    });
}

/** R2 of refits on k dimensions against k. */
export function refitFigure(data: PageData): Figure {
  const rows = data.refits.map(({ k, topK, randomK, principalComponents }) => ({
    k,
    topK,
    principalComponents,
    ...randomK,
  }));
  const title = (row: (typeof rows)[number]) =>
    `k = ${count(row.k)}\nmost salient ${decimal(row.topK, 3)}\nprincipal components ${decimal(row.principalComponents, 3)}\nrandom ${decimal(row.mean, 3)}\n(${decimal(row.low, 3)} to ${decimal(row.high, 3)})`;
  const least = Math.min(0, ...rows.map((row) => row.low).filter(Number.isFinite));
  const series = (
    y: "topK" | "principalComponents" | "mean",
    stroke: string,
    symbol: "circle" | "square" | "diamond",
  ) => [lineY(rows, { x: "k", y, stroke, strokeWidth: 2 }), dot(rows, { x: "k", y, fill: stroke, symbol, r: 3.5 })];
  return (width) => {
    const every = Math.ceil((rows.length * 40) / width);
    return plot({
      width,
      height: Math.min(380, Math.max(260, width * 0.5)),
      marginLeft: 60,
      marginBottom: 42,
      marginTop: 14,
      marginRight: 24,
      x: { type: "log", base: 2, domain: [rows[0]?.k ?? 1, Math.max(2, rows.at(-1)?.k ?? 2)] },
      y: { domain: [least, 1] },
      marks: [
        gridY(GRID),
        areaY(rows, { x: "k", y1: "low", y2: "high", fill: "var(--neutral)", fillOpacity: 0.22 }),
        ...series("mean", "var(--neutral)", "diamond"),
        ...series("principalComponents", "var(--warm)", "square"),
        ...series("topK", "var(--accent)", "circle"),
        ruleY([0]),
        axisX(
          rows.map(({ k }) => k).filter((_, i) => (rows.length - 1 - i) % every === 0),
          {
            label: "k, number of dimensions (log₂ scale)",
            labelAnchor: "center",
            labelArrow: "none",
            tickFormat: (k: number) => count(k),
            labelOffset: 38,
          },
        ),
        axisY({ label: "R² of the refit", labelAnchor: "center", labelArrow: "none", labelOffset: 54 }),
        tip(rows, pointerX({ ...TIP, x: "k", y: "topK", title })),
      ],
    });
  };
}
