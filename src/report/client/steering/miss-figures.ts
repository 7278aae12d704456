import { dot, line, type Markish, pointer, tip } from "@observablehq/plot";
import { type CheckText, checkTexts } from "../../../steering/check/check-texts.js";
import { significant } from "../../page/numbers.js";
import { textColours } from "../../steering/steering-texts.js";
import { bandColours, type ExperimentsPageData } from "../../steering/steering-trials.js";
import { type Figure, TIP } from "../page/figure.js";
import { type Axes, domainOf, logarithmic } from "../page/log-figure.js";
import { LEAST_MISS, type Median, medians, PAPER, seenOn } from "./seen-trials.js";

/** Median miss of the edit and of the bias against the factor, by band. */
export function missFigure(data: ExperimentsPageData, where: CheckText): Figure {
  const own = seenOn(data, data.scales!, where).filter(({ way }) => way !== PAPER);
  const series = bandColours.map((colour, band) => {
    const of = own.filter((point) => point.band === band);
    return { colour, rows: medians(of, ({ wanted }) => wanted) };
  });
  const rows = series.flatMap((one) => one.rows.map((row) => ({ ...row, colour: one.colour })));
  const axes: Axes = {
    x: { label: "wanted factor", domain: domainOf(rows.map(({ at }) => at)) },
    y: {
      label: "|ln(actual ÷ wanted)|, median",
      domain: domainOf(rows.flatMap(({ miss, idealMiss }) => [miss, idealMiss])),
    },
    height: () => 300,
  };
  return logarithmic(axes, () => [...series.flatMap(missLines), missTip(rows, "wanted ×")]);
}

function missLines({ colour, rows }: { colour: string; rows: Median[] }): Markish[] {
  return [
    line(rows, { x: "at", y: "idealMiss", stroke: colour, strokeDasharray: "4 3" }),
    line(rows, { x: "at", y: "miss", stroke: colour, strokeWidth: 2 }),
    dot(rows, { x: "at", y: "miss", fill: colour, r: 3 }),
  ];
}

function missTip(rows: readonly Median[], name: string): Markish {
  const title = ({ at, miss, idealMiss, edits }: Median) =>
    `${name} ${significant(at)}\nmedian of ${edits} edits ${significant(miss)}\nlogit bias ${significant(idealMiss)}`;
  return tip(rows, pointer({ ...TIP, x: "at", y: "miss", title }));
}

/** Median miss against the tokens fitted on. */
export function tokensFigure(data: ExperimentsPageData): Figure {
  const series = checkTexts.map((name) => ({
    colour: textColours[name],
    rows: medians(seenOn(data, data.tokenCounts!, name), ({ contexts }) => contexts),
  }));
  const rows = series.flatMap((one) => one.rows);
  const axes: Axes = {
    x: { label: "tokens fitted on", domain: domainOf(rows.map(({ at }) => at)) },
    y: {
      label: "|ln(actual ÷ wanted)|, median",
      domain: domainOf(
        rows.flatMap(({ miss, idealMiss }) => [miss, idealMiss]),
        LEAST_MISS,
      ),
    },
    height: () => 340,
  };
  return logarithmic(axes, () => [...series.flatMap(missLines), missTip(rows, "tokens")]);
}
