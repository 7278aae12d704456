import { axisX, axisY, gridX, gridY, line } from "@observablehq/plot";
import { crowding } from "../page/cloud/density.js";
import type { Cloud } from "../page/cloud/point-cloud.js";
import { currentTheme, densityShades } from "../page/colours.js";
import { GRID, paddedDomain } from "../page/figure.js";
import { probabilityLabel, probabilityTicks, spaced } from "../page/probability-ticks.js";
import { ratioTicks } from "../page/ratio-ticks.js";
import type { TokenTable } from "../page/tokens/token-table.js";

/** What the vertical axis shows: the second model's probability, or its ratio to the first's. */
export const heights = { after: "mean probability under B", change: "B over A" };
export type Height = keyof typeof heights;

/** Mean probabilities under the second model against those under the first; coordinates are natural logarithms. */
export function probabilityCloud({ observed, fitted }: TokenTable, view: { height: Height }): (width: number) => Cloud {
  const a = observed.map((value) => -value);
  const b = fitted.map((value) => -value);
  const change = b.map((value, i) => value - a[i]!);
  const across = paddedDomain(a, b);
  const [low, high] = paddedDomain(change);
  const furthest = Math.max(Math.abs(low), Math.abs(high), 0.01);
  return (width) => {
    const size = Math.min(width, 640);
    const isChange = view.height === "change";
    const up: [number, number] = isChange ? [-furthest, furthest] : across;
    const ends = isChange ? [0, 0] : across;
    const columns = decades(across, width);
    const rows = isChange ? ratioTicks(Math.exp(furthest), 3 * size).map(Math.log) : decades(across, size);
    const titles = { labelAnchor: "center", labelArrow: "none" } as const;
    return {
      x: a,
      y: isChange ? change : b,
      options: {
        height: size,
        marginTop: 12,
        marginRight: 14,
        marginBottom: 42,
        marginLeft: 70,
        x: { domain: across },
        y: { domain: up },
        marks: [
          gridX(columns, GRID),
          gridY(rows, GRID),
          axisX(columns, {
            ...titles,
            tickFormat: (value: number) => probabilityLabel(-value),
            label: "mean probability under A",
            labelOffset: 38,
          }),
          axisY(rows, {
            ...titles,
            tickFormat: (value: number) =>
              isChange ? `× ${Number(Math.exp(value).toPrecision(3))}` : probabilityLabel(-value),
            label: heights[view.height],
            labelOffset: 64,
          }),
          line(
            ends.map((end, i) => [across[i]!, end]),
            { stroke: "var(--warm)", strokeWidth: 1.5 },
          ),
        ],
      },
      shade: crowding,
      shades: densityShades(currentTheme()),
      rounds: 1,
    };
  };
}

/** Logarithms of the powers of ten in a domain of logarithms, as many as there is room for. */
function decades([low, high]: [number, number], room: number): number[] {
  return spaced(probabilityTicks([-high, -low]), room).map((tick) => -tick);
}
