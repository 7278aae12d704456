import { dot, line, pointer, text, tip } from "@observablehq/plot";
import { checkTexts } from "../../../steering/check/check-texts.js";
import { percent, significant } from "../../page/numbers.js";
import { textColours, textNames } from "../../steering/steering-texts.js";
import type { ExperimentsPageData } from "../../steering/steering-trials.js";
import { type Figure, TIP } from "../page/figure.js";
import { type Axes, domainOf, logarithmic, plain, plainPercent } from "../page/log-figure.js";
import { median, seenOn } from "./seen-trials.js";

/** How near to the logit bias edits of each size are, with the size in use marked. */
export function sizesFigure(data: ExperimentsPageData): Figure {
  const points = data.sizes!;
  const sizes = [...new Set(points.map(({ size }) => size))].sort((a, b) => a - b);
  const series = checkTexts.map((name) => ({
    colour: textColours[name],
    rows: sizes.flatMap((size) => {
      const own = seenOn(data, points, name).filter((point) => point.size === size && point.klOfIdeal > 0);
      if (own.length === 0) return [];
      const share = median(own.map(({ klToIdeal, klOfIdeal }) => klToIdeal / klOfIdeal));
      return [{ size, share, norm: median(own.map(({ norm }) => norm)), text: name }];
    }),
  }));
  const rows = series.flatMap((one) => one.rows.map((row) => ({ ...row, colour: one.colour })));
  const top = rows.filter(
    (row) => row.share === Math.max(...rows.filter(({ size }) => size === row.size).map(({ share }) => share)),
  );
  const axes: Axes = {
    x: { label: "size |x|, median", domain: domainOf(rows.flatMap(({ norm }) => [norm / 1.15, norm * 1.4])) },
    y: {
      label: "KL to the bias, share",
      domain: domainOf(rows.flatMap(({ share }) => [share, share * 1.4])),
      tickFormat: plainPercent,
    },
    height: () => 340,
  };
  const title = ({ size, share, norm, text: name }: (typeof rows)[number]) =>
    `λ ${significant(size)}, ${textNames[name]}\n|x| ${significant(norm)}\nKL(ideal ‖ edited) ${percent(share)} of KL(original ‖ ideal)`;
  return logarithmic(axes, (width) => [
    ...series.flatMap(({ colour, rows: own }) => [
      line(own, { x: "norm", y: "share", stroke: colour, strokeWidth: 1.75 }),
      dot(own, { x: "norm", y: "share", fill: colour, r: 3 }),
    ]),
    dot(
      rows.filter(({ size }) => size === data.chosenSize),
      { x: "norm", y: "share", stroke: "var(--ink)", strokeWidth: 1.5, r: 7 },
    ),
    text(apart(top, axes.x.domain, width, data.chosenSize), {
      x: "norm",
      y: "share",
      text: ({ size }: { size: number }) => `λ ${plain(size)}`,
      dy: -14,
      fill: "var(--muted)",
      stroke: "var(--surface)",
    }),
    tip(rows, pointer({ ...TIP, x: "norm", y: "share", title })),
  ]);
}

/** Sizes whose names do not lie over one another, the one in use among them. */
function apart<Row extends { size: number; norm: number }>(
  rows: readonly Row[],
  [low = 1, high = 10]: number[],
  width: number,
  chosen: number,
): Row[] {
  const room = 58 / (width / Math.log(high / low));
  const kept: Row[] = [];
  for (const row of [...rows].sort((a, b) => Number(b.size === chosen) - Number(a.size === chosen))) {
    if (kept.every(({ norm }) => Math.abs(Math.log(norm / row.norm)) > room)) kept.push(row);
  }
  return kept;
}
