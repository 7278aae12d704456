import { axisX, axisY, gridX, gridY, lineY, type Markish, plot, pointerX, ruleX, ruleY, tip } from "@observablehq/plot";
import type { PageData } from "../../analysis/page-data.js";
import { percent } from "../../page/numbers.js";
import { unpackFloat32, unquantise } from "../../page/packed-numbers.js";
import type { Cloud } from "../page/cloud/point-cloud.js";
import { currentTheme, percentileShades } from "../page/colours.js";
import { GRID, paddedDomain, TIP } from "../page/figure.js";
import type { TokenTable } from "../page/tokens/token-table.js";

/** Components that the scree figure shows one by one. */
const SCREE_BARS = 30;

/** Which two components the map shows, counted from 0. */
export interface ComponentAxes {
  across: number;
  up: number;
}

/** Tokens on two principal components, coloured by the percentile of their probability. */
export function componentCloud(
  data: PageData,
  { percentile }: TokenTable,
  axes: ComponentAxes,
): (width: number) => Cloud {
  const components = data.components.map(unquantise);
  const shares = unpackFloat32(data.varianceShare);
  const label = (component: number) =>
    `component ${component + 1} (${percent(shares[component] ?? Number.NaN)} of the variance)`;
  return (width) => {
    const x = components[axes.across]!;
    const y = components[axes.up]!;
    return {
      x,
      y,
      options: {
        height: Math.min(width * 0.85, 600),
        marginTop: 10,
        marginRight: 14,
        marginBottom: 42,
        marginLeft: 60,
        x: { domain: paddedDomain(x) },
        y: { domain: paddedDomain(y) },
        marks: [
          gridX({ ticks: 8, ...GRID }),
          gridY({ ticks: 8, ...GRID }),
          axisX({ ticks: 8, label: label(axes.across), labelAnchor: "center", labelArrow: "none", labelOffset: 38 }),
          axisY({ ticks: 8, label: label(axes.up), labelAnchor: "center", labelArrow: "none", labelOffset: 54 }),
        ],
      },
      shade: () => percentile,
      shades: percentileShades(currentTheme()),
      rounds: 16,
    };
  };
}

/** Selects for the two axes, where there are more than two components to choose from. */
export function componentControls(holder: HTMLElement, count: number, axes: ComponentAxes, changed: () => void): void {
  if (count <= 2) return;
  for (const axis of ["across", "up"] as const) {
    const label = document.createElement("label");
    const select = document.createElement("select");
    for (let component = 0; component < count; component++) {
      select.add(new Option(`component ${component + 1}`, String(component), false, component === axes[axis]));
    }
    select.addEventListener("change", () => {
      axes[axis] = Number(select.value);
      changed();
    });
    label.append(axis, select);
    holder.append(label);
  }
}

/** The colours of the map and what they stand for. */
export function percentileLegend(holder: HTMLElement): void {
  const ramp = document.createElement("span");
  ramp.className = "ramp";
  ramp.style.background = `linear-gradient(to right, ${percentileShades(currentTheme()).join(", ")})`;
  const key = document.createElement("span");
  key.append("percentile of α: 0 rarest", ramp, "100 likeliest");
  holder.replaceChildren(key);
}

/** Share of variance by component: bars, and their running sum as a line. */
export function screeFigure(data: PageData): (width: number) => ReturnType<typeof plot> {
  const shares = unpackFloat32(data.varianceShare).slice(0, SCREE_BARS);
  let held = 0;
  const bars = Array.from(shares, (share, i) => {
    held += share;
    return { component: i + 1, share, held };
  });
  return (width) =>
    plot({
      width,
      height: Math.min(300, width * 0.75),
      marginLeft: 44,
      marginBottom: 40,
      marginTop: 14,
      x: { domain: [0.3, bars.length + 0.7] },
      y: { domain: [0, Math.max(0.01, bars.at(-1)?.held ?? 1)] },
      marks: screeMarks(bars),
    });
}

function screeMarks(bars: { component: number; share: number; held: number }[]): Markish[] {
  const title = ({ component, share, held }: (typeof bars)[number]) =>
    `component ${component}\n${percent(share)} of the variance\n${percent(held)} up to here`;
  return [
    gridY(GRID),
    axisX({ label: "component", labelAnchor: "center", labelArrow: "none", tickFormat: "d", labelOffset: 36 }),
    axisY({ label: null, tickFormat: (share: number) => percent(share, 0) }),
    ruleX(bars, { x: "component", y: "share", stroke: "var(--accent)", strokeWidth: 5 }),
    lineY(bars, { x: "component", y: "held", stroke: "var(--warm)", strokeWidth: 2 }),
    ruleY([0]),
    tip(bars, pointerX({ ...TIP, x: "component", y: "held", title })),
  ];
}
