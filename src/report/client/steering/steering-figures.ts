import { axisX, axisY, dot, gridX, line, plot, pointer, ruleX, ruleY, tip } from "@observablehq/plot";
import { significant } from "../../page/numbers.js";
import type { EditPoint } from "../../steering/steering-page-data.js";
import { textColours, textNames } from "../../steering/steering-texts.js";
import { type Figure, GRID, TIP } from "../page/figure.js";
import { type Axes, domainOf, logarithmic } from "../page/log-figure.js";
import { ratioTicks } from "../page/ratio-ticks.js";

/** Height of one text's line in the figure of ratios, and of the space between two edits, in pixels. */
const LINE = 11;
const SPACE = 9;
const NAME_CHARACTERS = 16;

function described({ name, text, wanted, actual, low, high, ideal }: EditPoint): string {
  return `${name}, ${textNames[text]}\nwanted × ${significant(wanted)}\nactual × ${significant(actual)}\n95% interval ${significant(low)} to ${significant(high)}\nlogit bias × ${significant(ideal)}`;
}

/** Actual over wanted factor: a line for every edit and text, intervals as bars, the ideal as rings. */
export function ratioFigure(edits: readonly EditPoint[]): Figure {
  const texts = [...new Set(edits.map(({ text }) => text))];
  const step = texts.length * LINE + SPACE;
  const rows = edits.map((point) => ({
    ...point,
    y: point.edit * step + texts.indexOf(point.text) * LINE,
    ratio: point.actual / point.wanted,
    lowRatio: point.low / point.wanted,
    highRatio: point.high / point.wanted,
    idealRatio: point.ideal / point.wanted,
    colour: textColours[point.text],
  }));
  const names = rows.filter(({ text }) => text === texts[0]);
  const nameAt = new Map(names.map(({ y, name }) => [y + ((texts.length - 1) * LINE) / 2, name]));
  const shown = rows.flatMap(({ ratio, lowRatio, highRatio, idealRatio }) => [ratio, lowRatio, highRatio, idealRatio]);
  const furthest = Math.max(1.02, ...shown.filter((value) => value > 0).map((value) => Math.max(value, 1 / value)));
  const reach = furthest ** 1.06;
  const height = names.length * step;
  return (width) => {
    const longest = Math.min(NAME_CHARACTERS, Math.max(...names.map(({ name }) => name.length)));
    return plot({
      width,
      height: height + 54,
      marginLeft: 14 + 7.5 * longest,
      marginRight: 16,
      marginTop: 8,
      marginBottom: 42,
      x: { type: "log", domain: [1 / reach, reach] },
      y: { domain: [-SPACE, height - SPACE / 2], range: [8, 8 + height] },
      clip: true,
      marks: [
        gridX({ ...GRID, ticks: ratioTicks(reach, width) }),
        ruleX([1], { stroke: "var(--muted)" }),
        ruleY(rows, { y: "y", x1: "lowRatio", x2: "highRatio", stroke: "colour", strokeWidth: 3, strokeOpacity: 0.45 }),
        dot(rows, { x: "ratio", y: "y", fill: "colour", r: 4 }),
        dot(rows, { x: "idealRatio", y: "y", stroke: "var(--ink)", strokeWidth: 1.5, r: 4 }),
        axisX(ratioTicks(reach, width), {
          text: (value: number) => `${Number(value.toPrecision(5))}`,
          label: "actual ÷ wanted factor",
          labelAnchor: "center",
          labelArrow: "none",
          labelOffset: 36,
        }),
        axisY([...nameAt.keys()], {
          tickFormat: (y: number) => (nameAt.get(y) ?? "").slice(0, NAME_CHARACTERS),
          tickSize: 0,
          label: null,
        }),
        tip(rows, pointer({ ...TIP, x: "ratio", y: "y", title: described })),
      ],
    });
  };
}

/** Actual against wanted factor, log-log. */
export function scaleFigure(edits: readonly EditPoint[]): Figure {
  const domain = domainOf([0.5, 2, ...edits.flatMap(({ wanted, actual, ideal }) => [wanted, actual, ideal])]);
  const rows = edits.map((point) => ({ ...point, colour: textColours[point.text] }));
  const axes: Axes = {
    x: { label: "wanted factor", domain },
    y: { label: "actual factor", domain },
    height: (width) => Math.min(width, 460),
  };
  return logarithmic(axes, () => [
    line(
      [domain, domain].map((_, i) => [domain[i]!, domain[i]!]),
      { stroke: "var(--muted)" },
    ),
    ruleX(rows, { x: "wanted", y1: "low", y2: "high", stroke: "colour", strokeWidth: 3, strokeOpacity: 0.45 }),
    dot(rows, { x: "wanted", y: "actual", fill: "colour", r: 4 }),
    dot(rows, { x: "wanted", y: "ideal", stroke: "var(--ink)", strokeWidth: 1.25, r: 4 }),
    tip(rows, pointer({ ...TIP, x: "wanted", y: "actual", title: described })),
  ]);
}
