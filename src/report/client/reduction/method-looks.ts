import { dot, line, type Markish, plot } from "@observablehq/plot";
import { type CurveMethodName, compensationNames, curveName } from "../../reduction/reduction-page-data.js";

/** One way to delete dimensions: in which order, what makes up for them, and what is rescored. */
export type DeletionMethod = CurveMethodName;

type Symbol = "circle" | "square" | "triangle" | "diamond" | "star" | "cross";

/** A colour and a symbol for each order, a dash for each compensation: sixteen curves that can be told apart without colours too. */
const ORDERS: Record<DeletionMethod["order"], { colour: string; symbol: Symbol }> = {
  saliency: { colour: "var(--warm)", symbol: "circle" },
  slope: { colour: "var(--green)", symbol: "square" },
  variance: { colour: "var(--gold)", symbol: "triangle" },
  gates: { colour: "var(--violet)", symbol: "cross" },
  random: { colour: "var(--neutral)", symbol: "diamond" },
  rotation: { colour: "var(--accent)", symbol: "star" },
};
const DASHES: Record<DeletionMethod["compensate"], string> = {
  none: "2 3",
  mean: "7 4",
  "least-squares": "none",
  refine: "12 3 2 3",
};

function isStrong({ order, compensate }: DeletionMethod): boolean {
  return order === "rotation" || compensate === "refine";
}

/** Two stages have a colour of their own, whatever finds the candidates. */
const STAGES = { plain: "var(--ink)", greedy: "var(--muted)" };

export function lineLooks(method: DeletionMethod) {
  const own = ORDERS[method.order].colour;
  return {
    stroke: method.rescore === undefined ? own : method.greedyExact ? STAGES.greedy : STAGES.plain,
    strokeWidth: isStrong(method) ? 2.5 : 1.5,
    strokeDasharray: DASHES[method.compensate],
  };
}

export function symbolLooks({ order, rescore, greedyExact }: Omit<DeletionMethod, "compensate">) {
  const { colour, symbol } = ORDERS[order];
  if (rescore === undefined) return { fill: colour, symbol, r: 4 };
  return { fill: greedyExact ? STAGES.greedy : STAGES.plain, symbol, r: 4 };
}

/** The methods that a curve's points are of, in their order. */
export function methodsOf(curve: readonly DeletionMethod[]): DeletionMethod[] {
  const seen = new Map<string, DeletionMethod>();
  for (const { order, compensate, rescore, greedyExact } of curve) {
    const method = { order, compensate, rescore, greedyExact: greedyExact !== undefined || undefined };
    seen.set(curveName(method), seen.get(curveName(method)) ?? method);
  }
  return [...seen.values()];
}

/** What colours and symbols stand for, and what dashes do. */
export function curveLegend(holder: HTMLElement, curve: readonly DeletionMethod[]): void {
  orderLegend(holder, curve);
  for (const method of methodsOf(curve).filter(({ rescore }) => rescore !== undefined)) {
    const { stroke } = lineLooks(method);
    const marks = [line(SAMPLE, { stroke, strokeWidth: 2 }), dot([[16, 0]], symbolLooks(method))];
    holder.append(key(method.greedyExact ? "greedy exact" : `${method.rescore} rescored`, marks));
  }
  for (const compensate of new Set(curve.map((point) => point.compensate))) {
    const looks = { stroke: "var(--muted)", strokeWidth: 2, strokeDasharray: DASHES[compensate] };
    holder.append(key(compensationNames[compensate], [line(SAMPLE, looks)]));
  }
}

/** The orders with their colours and symbols. */
export function orderLegend(holder: HTMLElement, points: readonly Pick<DeletionMethod, "order">[]): void {
  for (const order of new Set(points.map((point) => point.order))) {
    const { stroke } = lineLooks({ order, compensate: "least-squares" });
    holder.append(key(order, [line(SAMPLE, { stroke, strokeWidth: 2 }), dot([[16, 0]], symbolLooks({ order }))]));
  }
}

/** Ends of the line that a legend shows, in pixels. */
const SAMPLE = [
  [0, 0],
  [32, 0],
];

function key(name: string, marks: Markish[]): HTMLElement {
  const holder = document.createElement("span");
  holder.className = "key";
  const sample = plot({
    ...{ width: 32, height: 12, margin: 0, marks },
    ...{ x: { type: "identity", axis: null }, y: { domain: [-1, 1], axis: null } },
  });
  sample.setAttribute("aria-hidden", "true");
  holder.append(sample, name);
  return holder;
}
