import { axisX, axisY, dot, gridX, plot, pointer, ruleX, ruleY, text, tip } from "@observablehq/plot";
import { checkTexts } from "../../../steering/check/check-texts.js";
import { textColours } from "../../steering/steering-texts.js";
import type { ExperimentsPageData } from "../../steering/steering-trials.js";
import { type Figure, GRID, TIP } from "../page/figure.js";
import { plain, powersOf } from "../page/log-figure.js";
import { described, LEAST_MISS, median, seenOn } from "./seen-trials.js";

/** Height of one text's dots in the figure of methods, and of the space between two methods, in pixels. */
const LINE = 13;

const SPACE = 26;

/** Misses of every method, a dot for each edit. */
export function methodsFigure(data: ExperimentsPageData): Figure {
  const points = data.methods!;
  const texts = checkTexts.filter((name) => points.some(({ effects }) => effects[name]));
  const ways = [...new Set(points.map(({ way }) => way))];
  const step = texts.length * LINE + SPACE;
  const rows = texts.flatMap((name, i) =>
    seenOn(data, points, name).map((seen) => ({
      ...seen,
      colour: textColours[name],
      y: ways.indexOf(seen.way) * step + i * LINE,
    })),
  );
  const middles = [...new Set(rows.map(({ y }) => y))].map((y) => {
    const own = rows.filter((row) => row.y === y);
    return {
      above: y - LINE / 2,
      below: y + LINE / 2,
      miss: median(own.map(({ miss }) => miss)),
      colour: own[0]!.colour,
    };
  });
  const nameAt = new Map(ways.map((way, i) => [i * step + ((texts.length - 1) * LINE) / 2, way]));
  const domain = [LEAST_MISS / 1.3, Math.max(1, ...rows.map(({ miss }) => miss)) * 1.3];
  const height = ways.length * step;
  return (width) => {
    const ticks = powersOf(domain, width / 80);
    const small = width < 560;
    return plot({
      width,
      height: height + 52,
      marginLeft: small ? 14 : 180,
      marginRight: 16,
      marginTop: 14,
      marginBottom: 38,
      x: { type: "log", domain },
      y: { domain: [-SPACE, height], range: [14, 14 + height], axis: null },
      marks: [
        gridX(ticks, GRID),
        ruleY(
          ways.slice(1).map((_, i) => (i + 1) * step - (SPACE + LINE) / 2),
          { stroke: "var(--line)" },
        ),
        dot(rows, { x: "miss", y: "y", fill: "colour", r: 3, fillOpacity: 0.75 }),
        ruleX(middles, { x: "miss", y1: "above", y2: "below", stroke: "colour", strokeWidth: 3 }),
        axisX(ticks, {
          text: plain,
          label: "|ln(actual ÷ wanted)|",
          labelAnchor: "center",
          labelArrow: "none",
          labelOffset: 34,
        }),
        small
          ? text([...nameAt], {
              x: domain[0]!,
              y: ([y]: [number, string]) => y - ((texts.length - 1) * LINE) / 2 - 15,
              text: ([, way]: [number, string]) => way,
              textAnchor: "start",
              fill: "var(--muted)",
            })
          : axisY([...nameAt.keys()], { tickFormat: (y: number) => nameAt.get(y) ?? "", tickSize: 0, label: null }),
        tip(rows, pointer({ ...TIP, x: "miss", y: "y", title: described })),
      ],
    });
  };
}
