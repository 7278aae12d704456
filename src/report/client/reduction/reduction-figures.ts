import { axisX, axisY, dot, gridY, line, plot, pointer, ruleY, tip } from "@observablehq/plot";
import { decimal, percent, significant, superscript } from "../../page/numbers.js";
import { curveName, type ReductionPageData } from "../../reduction/reduction-page-data.js";
import { type Figure, GRID, TIP } from "../page/figure.js";
import { appendEndLabels } from "./end-labels.js";
import { type DeletionMethod, lineLooks, methodsOf, symbolLooks } from "./method-looks.js";

const MARGINS = { marginLeft: 66, marginRight: 20, marginTop: 14, marginBottom: 42 };

/** Room for the names at the ends of the curves, and the width from which there is some. */
const NAMES = 210;
const NAMES_FROM = 760;
/** Room for the axis above. */
const TOP = 44;
/** Shares that both axes of what is multiplied have a tick at. */
const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];
/** Every so many points a curve shows its symbol. */
const SYMBOL_EVERY = 5;

const LABELS = { kl: "KL (nats)", top1: "top-1 agreement", perplexity: "perplexity" } as const;

/**
 * One measure against what the head multiplies, a curve for each method, less work to the right; above it the share deleted where one
 * stage multiplies as much. KL and perplexity on logarithmic scales.
 */
export function curveFigure(
  { curve, chosen, multiplications }: ReductionPageData,
  measure: keyof typeof LABELS,
): Figure {
  // A logarithmic scale has no zero: nothing deleted is left out of it.
  const points = curve
    .filter((point) => measure !== "kl" || (point.fraction > 0 && point.kl > 0))
    .map((point) => ({ ...point, work: point.multiplications / multiplications }));
  const title = (point: (typeof points)[number]) =>
    `${curveName(point)}\n${percent(point.work, 1)} of the multiplications\n${percent(point.fraction, 0)} deleted (${point.deleted})\nKL ${significant(point.kl)}\ntop-1 ${percent(point.top1)}\nperplexity ${decimal(point.perplexity, 1)}`;
  const mark = [{ work: chosen.multiplications / multiplications, value: chosen[measure] }];
  const most = Math.max(1, ...mark.map(({ work }) => work), ...points.map(({ work }) => work));
  const methods = methodsOf(points);
  const pointsOf = (method: DeletionMethod) => points.filter((point) => curveName(point) === curveName(method));
  return (width) => {
    const named = width >= NAMES_FROM;
    const height = Math.min(420, Math.max(260, width * 0.5));
    const chart = plot({
      width,
      height,
      ...MARGINS,
      ...(named ? { marginRight: NAMES } : {}),
      marginTop: TOP,
      x: { domain: [most, 0] },
      y: measure === "top1" ? { domain: [0, 1] } : { type: "log", nice: true },
      marks: [
        gridY(GRID),
        ...methods.flatMap((method, m) => {
          const own = pointsOf(method);
          const shown = own.filter((_, i) => i % SYMBOL_EVERY === m % SYMBOL_EVERY);
          return [
            line(own, { x: "work", y: measure, ...lineLooks(method) }),
            dot(shown, { x: "work", y: measure, ...symbolLooks(method) }),
          ];
        }),
        dot(mark, { x: "work", y: "value", r: 7, stroke: "var(--ink)", strokeWidth: 2 }),
        axisX(TICKS, {
          label: "multiplications of the head",
          labelAnchor: "center",
          labelArrow: "none",
          labelOffset: 38,
          tickFormat: (share: number) => percent(share, 0),
        }),
        axisX(TICKS, {
          anchor: "top",
          label: "share deleted, of one stage",
          labelAnchor: "center",
          labelArrow: "none",
          labelOffset: 34,
          tickFormat: (share: number) => percent(1 - share, 0),
        }),
        axisY({
          label: LABELS[measure],
          labelAnchor: "center",
          labelArrow: "none",
          labelOffset: 62,
          ticks: 6,
          tickFormat: (value: number) => (measure === "top1" ? percent(value, 0) : plainNumber(value)),
        }),
        tip(points, pointer({ ...TIP, x: "work", y: measure, title })),
      ],
    });
    if (named) {
      const [x, y] = [chart.scale("x")!, chart.scale("y")!];
      const ends = methods.flatMap((method) => {
        // What rescores ever more rows where less is kept turns back: its name stands where it multiplies least.
        const last = pointsOf(method).sort((a, b) => a.work - b.work)[0];
        if (last === undefined) return [];
        const at = { x: Number(x.apply(last.work)), y: Number(y.apply(last[measure])) };
        return [{ ...at, name: curveName(method), stroke: lineLooks(method).stroke }];
      });
      appendEndLabels(chart, ends, {
        x: width - NAMES + 24,
        top: TOP,
        bottom: height - MARGINS.marginBottom,
      });
    }
    return chart;
  };
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
          dot(
            points.filter(({ order }) => order === name).filter((_, i) => i % SYMBOL_EVERY === 0),
            { x: "fraction", y: "r2", ...symbolLooks({ order: name }) },
          ),
        ),
        ...names.map((name) =>
          line(
            points.filter(({ order }) => order === name),
            { x: "fraction", y: "r2", ...lineLooks({ order: name, compensate: "least-squares" }), strokeWidth: 2 },
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
