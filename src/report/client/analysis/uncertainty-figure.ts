import { areaY, axisX, axisY, dot, gridY, lineY, plot, pointerX, ruleX, tip } from "@observablehq/plot";
import type { PageData } from "../../analysis/page-data.js";
import { count, counted, decimal } from "../../page/numbers.js";
import { type Figure, GRID, TIP } from "../page/figure.js";

/** R2 against the number of contexts, with the interval of the last. */
export function uncertaintyFigure({ r2Curve, r2Interval }: PageData): Figure {
  const last = r2Curve.at(-1)!;
  const values = [
    ...r2Curve.flatMap(({ low, high }) => [low, high]),
    ...(r2Interval ? [r2Interval.low, r2Interval.high] : []),
  ];
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = Math.max(0.002, 0.08 * (most - least));
  const title = ({ contexts, r2, low, high, subsets }: (typeof r2Curve)[number]) =>
    `${counted(contexts, "context")}\nR² ${decimal(r2, 4)}${subsets > 1 ? `\n(${decimal(low, 4)} to ${decimal(high, 4)}, ${count(subsets)} parts)` : ""}`;
  return (width) => {
    const every = Math.ceil((r2Curve.length * 64) / width);
    return plot({
      width,
      height: Math.min(300, Math.max(220, width * 0.4)),
      marginLeft: 64,
      marginBottom: 42,
      marginTop: 14,
      marginRight: 28,
      x: { type: "log", base: 2, domain: [r2Curve[0]!.contexts, last.contexts] },
      y: { domain: [least - room, Math.min(1, most + room)] },
      marks: [
        gridY(GRID),
        areaY(r2Curve, { x: "contexts", y1: "low", y2: "high", fill: "var(--accent)", fillOpacity: 0.16 }),
        lineY(r2Curve, { x: "contexts", y: "r2", stroke: "var(--accent)", strokeWidth: 2 }),
        dot(r2Curve, { x: "contexts", y: "r2", fill: "var(--accent)", r: 3.5 }),
        ...(r2Interval
          ? [
              ruleX([last], {
                x: "contexts",
                y1: r2Interval.low,
                y2: r2Interval.high,
                stroke: "var(--warm)",
                strokeWidth: 3,
              }),
            ]
          : []),
        axisX(
          r2Curve.map(({ contexts }) => contexts).filter((_, i) => (r2Curve.length - 1 - i) % every === 0),
          {
            label: "contexts (log₂ scale)",
            labelAnchor: "center",
            labelArrow: "none",
            text: (contexts: number) => count(contexts),
            labelOffset: 38,
          },
        ),
        axisY({ label: "R²", labelAnchor: "center", labelArrow: "none", labelOffset: 56 }),
        tip(r2Curve, pointerX({ ...TIP, x: "contexts", y: "r2", title })),
      ],
    });
  };
}
