import { dot, line, pointer, tip } from "@observablehq/plot";
import { unsafeAbove } from "../../../steering/probes/unsafe-probability.js";
import { probability } from "../../page/numbers.js";
import { unpackFloat32 } from "../../page/packed-numbers.js";
import type { ProbedPoints } from "../../steering/probed-points.js";
import { type Figure, TIP } from "../page/figure.js";
import { type Axes, logarithmic } from "../page/log-figure.js";

/** Below this all probabilities are alike: they stand at the edge. */
const least = 1e-12;
/** Points of each curve. */
const steps = 120;

interface Point {
  before: number;
  after: number;
  text?: string;
}

/** Probability after against before in every context that no text holds, with the logit bias and what is unsafe. */
export function probesFigure(edit: ProbedPoints): Figure {
  const [before, after] = [unpackFloat32(edit.before), unpackFloat32(edit.after)];
  const limit = limitOf(edit);
  const { idealBias } = edit;
  const points: Point[] = Array.from(before, (p, i) => ({ before: onPage(p), after: onPage(after[i]!) }));
  const rings: Point[] = edit.worst.map((one) => ({ ...one, before: onPage(one.before), after: onPage(one.after) }));
  const isUnsafe = (_: Point, i: number) => limit !== undefined && after[i]! > limit(before[i]!);
  const lowest = Math.min(...points.flatMap((point) => [point.before, point.after]));
  const domain = [lowest / 1.5, 1.2];
  const axes: Axes = {
    x: { label: "probability before", domain },
    y: { label: "probability after", domain },
    height: (width) => Math.min(width, 520),
  };
  const curve = (of: (p: number) => number) =>
    Array.from({ length: steps }, (_, i): [number, number] => {
      const p = lowest ** (1 - i / (steps - 1));
      const height = of(p);
      return [p, height < lowest ? Number.NaN : height];
    });
  const title = ({ before: was, after: is, text }: Point) =>
    `${text === undefined ? "" : `after ${text}\n`}before ${shown(was)}\nafter ${shown(is)}`;
  return logarithmic(axes, () => [
    line(
      curve((p) => p),
      { stroke: "var(--muted)", strokeOpacity: 0.6 },
    ),
    idealBias === undefined
      ? undefined
      : line(
          curve((p) => biased(p, idealBias)),
          { stroke: "var(--ink)", strokeDasharray: "2 3" },
        ),
    limit && line(curve(limit), { stroke: "var(--warm)", strokeWidth: 1.5 }),
    dot(points, {
      x: "before",
      y: "after",
      r: 2,
      fill: (point: Point, i: number) => (isUnsafe(point, i) ? "var(--warm)" : "var(--accent)"),
      fillOpacity: 0.55,
    }),
    dot(rings, { x: "before", y: "after", r: 5, stroke: "var(--ink)", strokeWidth: 1.25 }),
    tip([...rings, ...points], pointer({ ...TIP, x: "before", y: "after", title })),
  ]);
}

/** Above which probability after, by that before, an edit is unsafe; undefined where none is. */
function limitOf({ rarer, bound, inFew }: ProbedPoints): ((before: number) => number) | undefined {
  if (bound !== undefined) return () => bound;
  return rarer ? (before) => unsafeAbove(before, inFew) : undefined;
}

const onPage = (p: number): number => Math.max(p, least);

const shown = (p: number): string => (p <= least ? "10⁻¹² or less" : probability(p));

/** What a logit bias makes of a probability. */
function biased(p: number, bias: number): number {
  const weight = p * Math.exp(bias);
  return weight / (1 - p + weight);
}
