import { dot, line, pointer, ruleX, ruleY, tip } from "@observablehq/plot";
import { type CheckText, checkTexts } from "../../../steering/check/check-texts.js";
import type { ExperimentsPageData, TrialPoint } from "../../steering/steering-trials.js";
import { type Figure, TIP } from "../page/figure.js";
import { type Axes, domainOf, logarithmic } from "../page/log-figure.js";
import { described, PAPER, type Seen, seenOn } from "./seen-trials.js";

/** Bands stand beside one another at each factor, so that none hides another. */
const BESIDE = 1.2;

function besideOthers<Point extends Seen>(seen: Point): Point & { x: number } {
  return { ...seen, x: seen.wanted * BESIDE ** ((seen.band ?? 1) - 1) };
}

/** Actual against wanted factor on one text. */
export function sweepFigure(data: ExperimentsPageData, where: CheckText): Figure {
  const seen = seenOn(data, data.scales!, where).map(besideOthers);
  const own = seen.filter(({ way }) => way !== PAPER);
  const paper = seen.filter(({ way }) => way === PAPER);
  const wanted = [...new Set(seen.map((point) => point.wanted))];
  const domain = domainOf(seen.flatMap(({ x, actual, ideal }) => [x, actual, ideal]));
  const axes: Axes = {
    x: { label: "wanted factor", domain },
    y: { label: "actual factor", domain },
    height: (width) => Math.min(width, 420),
  };
  const room = BESIDE ** 1.6;
  return logarithmic(axes, () => [
    line(
      [domain, domain].map((_, i) => [domain[i]!, domain[i]!]),
      { stroke: "var(--muted)", strokeOpacity: 0.5 },
    ),
    ruleY(wanted, {
      y: (factor) => factor,
      x1: (factor) => factor / room,
      x2: (factor) => factor * room,
      stroke: "var(--muted)",
    }),
    dot(paper, { x: "x", y: "actual", stroke: "colour", symbol: "times", r: 2.5, strokeOpacity: 0.7 }),
    dot(own, { x: "x", y: "ideal", stroke: "var(--ink)", strokeWidth: 0.75, strokeOpacity: 0.6, r: 4 }),
    ruleX(own, { x: "x", y1: "low", y2: "high", stroke: "colour", strokeOpacity: 0.5 }),
    dot(own, { x: "x", y: "actual", fill: "colour", r: 2.75 }),
    tip(seen, pointer({ ...TIP, x: "x", y: "actual", title: described })),
  ]);
}

/** KL(original || edited) on one text against the factor; unseen text, unless told. */
export function costFigure(data: ExperimentsPageData, where = unseenText(data.scales!)): Figure {
  const own = seenOn(data, data.scales!, where)
    .filter(({ way, kl }) => way !== PAPER && kl > 0)
    .map(besideOthers);
  const axes: Axes = {
    x: { label: "wanted factor", domain: domainOf(own.map(({ x }) => x)) },
    y: {
      label: "KL, nats",
      domain: domainOf(
        own.flatMap(({ kl, klOfIdeal }) => [kl, klOfIdeal]),
        1e-12,
      ),
    },
    height: () => 300,
  };
  return logarithmic(axes, () => [
    dot(own, { x: "x", y: "klOfIdeal", stroke: "var(--ink)", strokeWidth: 0.75, strokeOpacity: 0.6, r: 4 }),
    dot(own, { x: "x", y: "kl", fill: "colour", r: 2.75 }),
    tip(own, pointer({ ...TIP, x: "x", y: "kl", title: described })),
  ]);
}

function unseenText(points: readonly TrialPoint[]): CheckText {
  return checkTexts.find((name) => name !== "fit" && points.some(({ effects }) => effects[name])) ?? "fit";
}
