import { axisX, axisY, dot, gridY, line, plot, pointer, ruleY, tip } from "@observablehq/plot";
import { decimal, percent, significant, superscript } from "../../page/numbers.js";
import { methodName, type ReductionPageData } from "../../reduction/reduction-page-data.js";
import { type Figure, GRID, TIP } from "../page/figure.js";

const MARGINS = { marginLeft: 66, marginRight: 20, marginTop: 14, marginBottom: 42 };

/** A colour for each order, a dash for each compensation, so that twelve curves can be told apart. */
const COLOURS: Record<string, string> = {
  saliency: "var(--warm)",
  slope: "var(--mass-0)",
  variance: "var(--mass-2)",
  random: "var(--neutral)",
  rotation: "var(--accent)",
};
const DASHES: Record<string, string> = { none: "2 3", mean: "6 4", "least-squares": "none", refine: "10 3 2 3" };

type Method = Pick<ReductionPageData["curve"][number], "order" | "compensate">;
const isStrong = ({ order, compensate }: Method) => order === "rotation" || compensate === "refine";

function methodsOf(curve: readonly Method[]): Method[] {
  const seen = new Map(curve.map(({ order, compensate }) => [`${order} ${compensate}`, { order, compensate }]));
  return [...seen.values()];
}

/** The methods with the lines that they are drawn with. */
export function curveLegend(holder: HTMLElement, curve: ReductionPageData["curve"]): void {
  for (const { order, compensate } of methodsOf(curve)) {
    const width = isStrong({ order, compensate }) ? 3 : 2;
    holder.append(key(methodName(order, compensate), order, width, DASHES[compensate]));
  }
}

/** The orders with their colours. */
export function orderLegend(holder: HTMLElement, { encoding }: ReductionPageData): void {
  for (const order of new Set(encoding.map((point) => point.order))) holder.append(key(order, order, 2));
}

function key(name: string, order: string, width: number, dashes = "none"): HTMLElement {
  const holder = document.createElement("span");
  holder.className = "key";
  const swatch = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  swatch.setAttribute("width", "30");
  swatch.setAttribute("height", "8");
  const sample = document.createElementNS("http://www.w3.org/2000/svg", "line");
  const attributes = {
    ...{ x1: 0, x2: 28, y1: 4, y2: 4 },
    ...{ stroke: COLOURS[order] ?? "var(--neutral)", "stroke-width": width, "stroke-dasharray": dashes },
  };
  for (const [attribute, value] of Object.entries(attributes)) sample.setAttribute(attribute, String(value));
  swatch.append(sample);
  holder.append(swatch, ` ${name}`);
  return holder;
}

const LABELS = { kl: "KL (nats)", top1: "top-1 agreement", perplexity: "perplexity" } as const;

/** One measure against the share deleted, a curve for each method. KL and perplexity on logarithmic scales. */
export function curveFigure({ curve, chosen }: ReductionPageData, measure: keyof typeof LABELS): Figure {
  // A logarithmic scale has no zero: nothing deleted is left out of it.
  const points = curve.filter((point) => measure !== "kl" || (point.fraction > 0 && point.kl > 0));
  const title = (point: (typeof points)[number]) =>
    `${methodName(point.order, point.compensate)}\n${percent(point.fraction, 0)} deleted (${point.deleted})\nKL ${significant(point.kl)}\ntop-1 ${percent(point.top1)}\nperplexity ${decimal(point.perplexity, 1)}`;
  const mark = [{ fraction: chosen.fraction, value: chosen[measure] }];
  return (width) =>
    plot({
      width,
      height: Math.min(420, Math.max(260, width * 0.5)),
      ...MARGINS,
      x: { domain: [0, 1] },
      y: measure === "top1" ? { domain: [0, 1] } : { type: "log", nice: true },
      marks: [
        gridY(GRID),
        ...methodsOf(points).map((method) =>
          line(
            points.filter((point) => point.order === method.order && point.compensate === method.compensate),
            {
              x: "fraction",
              y: measure,
              stroke: COLOURS[method.order] ?? "var(--neutral)",
              strokeWidth: isStrong(method) ? 2.5 : 1.5,
              strokeDasharray: DASHES[method.compensate] ?? "none",
            },
          ),
        ),
        dot(mark, { x: "fraction", y: "value", r: 6, stroke: "var(--ink)", strokeWidth: 2 }),
        axisX({
          label: "share of the dimensions deleted",
          labelAnchor: "center",
          labelArrow: "none",
          labelOffset: 38,
          tickFormat: (share: number) => percent(share, 0),
          ticks: 6,
        }),
        axisY({
          label: LABELS[measure],
          labelAnchor: "center",
          labelArrow: "none",
          labelOffset: 62,
          ticks: 6,
          tickFormat: (value: number) => (measure === "top1" ? percent(value, 0) : plainNumber(value)),
        }),
        tip(points, pointer({ ...TIP, x: "fraction", y: measure, title })),
      ],
    });
}

/** As short as a number of a logarithmic scale can be. */
function plainNumber(value: number): string {
  return value >= 1e-3 && value < 1e6 ? String(value) : `10${superscript(Math.round(Math.log10(value)))}`;
}

/** R2 of the encoding on what is kept against the share deleted, a curve for each order. */
export function r2Figure({ encoding }: ReductionPageData): Figure {
  const names = [...new Set(encoding.map(({ order }) => order))];
  const points = encoding.filter(({ r2 }) => Number.isFinite(r2));
  const title = ({ order, fraction, r2 }: (typeof points)[number]) =>
    `${order}\n${percent(fraction, 0)} deleted\nR² ${decimal(r2, 3)}`;
  return (width) =>
    plot({
      width,
      height: Math.min(360, Math.max(240, width * 0.42)),
      ...MARGINS,
      x: { domain: [0, 1] },
      y: { domain: [Math.min(0, ...points.map(({ r2 }) => r2)), 1] },
      marks: [
        gridY(GRID),
        ruleY([0]),
        ...names.map((name) =>
          line(
            points.filter(({ order }) => order === name),
            { x: "fraction", y: "r2", stroke: COLOURS[name] ?? "var(--neutral)", strokeWidth: 2 },
          ),
        ),
        axisX({
          label: "share of the dimensions deleted",
          labelAnchor: "center",
          labelArrow: "none",
          labelOffset: 38,
          tickFormat: (share: number) => percent(share, 0),
          ticks: 6,
        }),
        axisY({ label: "R²", labelAnchor: "center", labelArrow: "none", labelOffset: 48, ticks: 6 }),
        tip(points, pointer({ ...TIP, x: "fraction", y: "r2", title })),
      ],
    });
}
