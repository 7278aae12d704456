import { axisY, dot, gridY, line, plot, text } from "@observablehq/plot";
import type { DynamicsPageData } from "../../dynamics/dynamics-page-data.js";
import { visibleToken } from "../../page/visible-text.js";
import { type Figure, GRID } from "../page/figure.js";
import { spread } from "../page/spread.js";
import type { TokenTable } from "../page/tokens/token-table.js";
import { stepAxis, stepScale } from "./dynamics-figures.js";
import type { View } from "./dynamics-view.js";

/** Ways of tokens drawn at once, and marked by one search. */
export const MAX_WAYS = 6;
const WAY_COLOURS = ["accent", "warm", "green", "violet", "gold", "neutral"].map((name) => `var(--${name})`);
/** A name's line, as a share of the heights that the names span. */
const LINE = 0.07;
const NAME_CHARACTERS = 9;

/**
 * Fitted values of single tokens against the step, each with its name and, as a ring, its true value at the end.
 * @param fitted of every shown checkpoint, [K][R]  @param marked at most MAX_WAYS tokens
 */
export function waysFigure(
  data: DynamicsPageData,
  view: View,
  tokens: TokenTable,
  fitted: readonly Float32Array[],
  marked: readonly number[],
): Figure {
  const steps = data.shown.map((k) => data.steps[k]!);
  const ways = marked.map((token, i) => ({
    colour: WAY_COLOURS[i]!,
    token,
    line: fitted.map((values, k) => ({ step: steps[k]!, value: values[token]! })),
    last: fitted.at(-1)![token]!,
  }));
  const labels = [...ways].sort((a, b) => a.last - b.last);
  const range = Math.max(1, (labels.at(-1)?.last ?? 1) - (labels[0]?.last ?? 0));
  const heights = spread(
    labels.map(({ last }) => last),
    LINE * range,
    Number.NEGATIVE_INFINITY,
    Number.POSITIVE_INFINITY,
  );
  const atEnd = { x: () => steps.at(-1), y: heights, textAnchor: "start" } as const;
  return (width) =>
    plot({
      width,
      height: 260,
      marginLeft: 36,
      marginRight: 96,
      marginTop: 10,
      marginBottom: 40,
      x: stepScale(data.steps, view),
      y: { nice: true },
      marks: [
        gridY(GRID),
        ...ways.map(({ line: way, colour }) => line(way, { x: "step", y: "value", stroke: colour, strokeWidth: 1.75 })),
        ...ways.map(({ token, colour }) =>
          dot([tokens.observed[token]!], {
            x: () => steps.at(-1),
            y: (value: number) => value,
            stroke: colour,
            fill: "var(--surface)",
            strokeWidth: 2,
            r: 3.5,
            dx: 7,
          }),
        ),
        text(labels, { ...atEnd, text: () => "━", fill: "colour", dx: 14 }),
        text(labels, {
          ...atEnd,
          text: ({ token }: { token: number }) => visibleToken(tokens.texts[token]!).slice(0, NAME_CHARACTERS),
          dx: 28,
        }),
        stepAxis(steps, view, width - 60),
        axisY({ label: null, ticks: 5 }),
      ],
    });
}
