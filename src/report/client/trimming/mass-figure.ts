import { dot, line, pointerX, tip } from "@observablehq/plot";
import { count, probability } from "../../page/numbers.js";
import type { TrimPageData } from "../../trimming/trim-page-data.js";
import { type Figure, TIP } from "../page/figure.js";
import { domainOf, logarithmic, plain, plainPercent } from "../page/log-figure.js";

/** Shares below this are drawn on the edge: the text says nothing of them. */
const least = 1e-7;

/** What the tokens beyond the k most used have of the output and of the text, against k. */
export function massFigure({ curve, chosen }: TrimPageData): Figure {
  const shown = curve.filter(({ removedMass }) => removedMass >= least);
  const ofText = curve.filter(({ removedOfText }) => removedOfText >= least);
  const axes = {
    x: {
      label: "tokens that stay",
      domain: domainOf([...curve, chosen].map(({ vocabSize }) => vocabSize)),
      tickFormat: plain,
    },
    y: {
      label: "share of all others",
      domain: domainOf([
        ...shown.map(({ removedMass }) => removedMass),
        ...ofText.map((point) => point.removedOfText),
        chosen.removedMass,
      ]),
      tickFormat: plainPercent,
    },
    height: () => 320,
  };
  const title = ({ vocabSize, removedMass, removedOfText }: TrimPageData["chosen"]) =>
    `${count(vocabSize)} tokens stay\nall others: ${probability(removedMass)} of the output,\n${probability(removedOfText)} of the text`;
  return logarithmic(axes, () => [
    line(shown, { x: "vocabSize", y: "removedMass", stroke: "var(--accent)", strokeWidth: 2 }),
    line(ofText, { x: "vocabSize", y: "removedOfText", stroke: "var(--warm)", strokeWidth: 2, strokeDasharray: "5 6" }),
    dot(chosen.removedMass >= least ? [chosen] : [], {
      x: "vocabSize",
      y: "removedMass",
      r: 6,
      fill: "var(--accent)",
      stroke: "var(--surface)",
    }),
    tip(shown, pointerX({ ...TIP, x: "vocabSize", y: "removedMass", title })),
  ]);
}
