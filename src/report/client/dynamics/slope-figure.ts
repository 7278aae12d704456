import { axisX, axisY, plot, pointer, rect, tip } from "@observablehq/plot";
import type { DynamicsPageData } from "../../dynamics/dynamics-page-data.js";
import { count, significant } from "../../page/numbers.js";
import { unquantise } from "../../page/packed-numbers.js";
import { currentTheme } from "../page/colours.js";
import { type Figure, TIP } from "../page/figure.js";
import { element } from "../page/tokens/token-tip.js";

/** Pixels a row of the map takes. */
const ROW = 8;

/** From lowering to raising -log f, by way of the page's own colour. */
function ramp(): string[] {
  return currentTheme() === "light"
    ? ["#8f3606", "#e2a06f", "#f4f2ee", "#86aede", "#174a86"]
    : ["#ffbe85", "#9a5a24", "#20252c", "#2f639d", "#a9d0ff"];
}

/** Slope times standard deviation, dimensions against checkpoints. */
export function slopeFigure({ shown, steps, dimensions, signedSaliency }: DynamicsPageData): Figure {
  const cells = signedSaliency.flatMap((packed, column) =>
    Array.from(unquantise(packed), (value, row) => ({
      column,
      row,
      value,
      dimension: dimensions[row]!,
      step: steps[shown[column]!]!,
    })),
  );
  const greatest = cells.reduce((most, { value }) => Math.max(most, Math.abs(value)), 0) || 1;
  const title = ({ dimension, step, value }: (typeof cells)[number]) =>
    `dimension ${dimension}\nstep ${count(step)}\n${significant(value)} nats per standard deviation`;
  return (width) => {
    const every = Math.ceil((shown.length * 46) / Math.max(1, width - 60));
    const columns = shown.map((_, column) => column).filter((column) => (shown.length - 1 - column) % every === 0);
    return plot({
      width,
      height: dimensions.length * ROW + 50,
      marginLeft: 52,
      marginRight: 20,
      marginTop: 8,
      marginBottom: 40,
      x: { domain: [0, shown.length] },
      y: { domain: [dimensions.length, 0] },
      color: { type: "linear", domain: [-1, -0.4, 0, 0.4, 1].map((part) => part * greatest), range: ramp() },
      marks: [
        rect(cells, {
          x1: "column",
          x2: ({ column }: { column: number }) => column + 1,
          y1: "row",
          y2: ({ row }: { row: number }) => row + 1,
          fill: "value",
          shapeRendering: "crispEdges",
        }),
        axisX(
          columns.map((column) => column + 0.5),
          {
            label: "training step (one column a checkpoint)",
            labelAnchor: "center",
            labelArrow: "none",
            labelOffset: 36,
            tickSize: 0,
            tickFormat: (at: number) => count(steps[shown[Math.floor(at)]!]!),
          },
        ),
        axisY({ label: "rank of the dimension", labelAnchor: "center", labelArrow: "none", labelOffset: 46, ticks: 6 }),
        tip(
          cells,
          pointer({
            ...TIP,
            x: ({ column }: { column: number }) => column + 0.5,
            y: ({ row }: { row: number }) => row + 0.5,
            title,
          }),
        ),
      ],
    });
  };
}

export function slopeLegend(holder: HTMLElement): void {
  const bar = element("span", "");
  bar.className = "ramp";
  bar.style.background = `linear-gradient(to right, ${ramp().join(", ")})`;
  const key = element("span", "");
  key.className = "key";
  key.append("says: frequent", bar, "says: rare");
  holder.replaceChildren(key);
}
