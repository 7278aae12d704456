import {
  axisX,
  axisY,
  dot,
  gridX,
  line,
  type Markish,
  plot,
  pointer,
  ruleX,
  ruleY,
  text,
  tip,
} from "@observablehq/plot";
import { type CheckText, checkTexts } from "../../../steering/check/check-texts.js";
import { percent, significant } from "../../page/numbers.js";
import { textColours, textNames } from "../../steering/steering-texts.js";
import {
  bandColours,
  type EffectPoint,
  type ExperimentsPageData,
  type TrialPoint,
} from "../../steering/steering-trials.js";
import { type Figure, GRID, TIP } from "../page/figure.js";
import { type Axes, domainOf, logarithmic, plain, plainPercent, powersOf } from "../page/log-figure.js";

/** Misses below this are a hit. */
const LEAST_MISS = 1e-6;
const PAPER = "paper’s encoding";

type Seen = TrialPoint & EffectPoint & { name: string; colour: string; miss: number; idealMiss: number };

function seenOn(data: ExperimentsPageData, points: readonly TrialPoint[], where: CheckText): Seen[] {
  return points.flatMap((point) => {
    const effect = point.effects[where];
    if (effect === undefined || !(effect.actual > 0)) return [];
    const missOf = (actual: number) => Math.max(LEAST_MISS, Math.abs(Math.log(actual / point.wanted)));
    return {
      ...point,
      ...effect,
      name: data.names[point.group]!,
      colour: bandColours[point.band ?? 0]!,
      miss: missOf(effect.actual),
      idealMiss: missOf(effect.ideal),
    };
  });
}

function described(seen: Seen): string {
  const { name, way, wanted, actual, low, high, ideal, kl, norm } = seen;
  return `${name} by ${way}\nwanted × ${significant(wanted)}, actual × ${significant(actual)}\n95% interval ${significant(low)} to ${significant(high)}\nlogit bias × ${significant(ideal)}\nKL ${significant(kl)}, |x| ${significant(norm)}`;
}

/** Bands stand beside one another at each factor, so that none hides another. */
const BESIDE = 1.2;

function besideOthers<Point extends Seen>(seen: Point): Point & { x: number } {
  return { ...seen, x: seen.wanted * BESIDE ** ((seen.band ?? 1) - 1) };
}

/** Actual against wanted factor on one text. */
export function sweepFigure(data: ExperimentsPageData, where: CheckText): Figure {
  const seen = seenOn(data, data.scales!, where).map(besideOthers);
  const own = seen.filter(({ way }) => way !== PAPER);
  const paper = seen.filter(({ way }) => way === PAPER);
  const wanted = [...new Set(seen.map((point) => point.wanted))];
  const domain = domainOf(seen.flatMap(({ x, actual, ideal }) => [x, actual, ideal]));
  const axes: Axes = {
    x: { label: "wanted factor", domain },
    y: { label: "actual factor", domain },
    height: (width) => Math.min(width, 420),
  };
  const room = BESIDE ** 1.6;
  return logarithmic(axes, () => [
    line(
      [domain, domain].map((_, i) => [domain[i]!, domain[i]!]),
      { stroke: "var(--muted)", strokeOpacity: 0.5 },
    ),
    ruleY(wanted, {
      y: (factor) => factor,
      x1: (factor) => factor / room,
      x2: (factor) => factor * room,
      stroke: "var(--muted)",
    }),
    dot(paper, { x: "x", y: "actual", stroke: "colour", symbol: "times", r: 2.5, strokeOpacity: 0.7 }),
    dot(own, { x: "x", y: "ideal", stroke: "var(--ink)", strokeWidth: 0.75, strokeOpacity: 0.6, r: 4 }),
    ruleX(own, { x: "x", y1: "low", y2: "high", stroke: "colour", strokeOpacity: 0.5 }),
    dot(own, { x: "x", y: "actual", fill: "colour", r: 2.75 }),
    tip(seen, pointer({ ...TIP, x: "x", y: "actual", title: described })),
  ]);
}

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

interface Median {
  at: number;
  miss: number;
  idealMiss: number;
  edits: number;
}

function medians(points: readonly Seen[], keyOf: (point: Seen) => number): Median[] {
  const keys = [...new Set(points.map(keyOf))].sort((a, b) => a - b);
  return keys.map((at) => {
    const own = points.filter((point) => keyOf(point) === at);
    const miss = median(own.map((point) => point.miss));
    return { at, miss, idealMiss: median(own.map(({ idealMiss }) => idealMiss)), edits: own.length };
  });
}

function median(values: number[]): number {
  const sorted = values.sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.floor(sorted.length / 2)]!) / 2;
}

/** KL(original || edited) on one text against the factor; unseen text, unless told. */
export function costFigure(data: ExperimentsPageData, where = unseenText(data.scales!)): Figure {
  const own = seenOn(data, data.scales!, where)
    .filter(({ way, kl }) => way !== PAPER && kl > 0)
    .map(besideOthers);
  const axes: Axes = {
    x: { label: "wanted factor", domain: domainOf(own.map(({ x }) => x)) },
    y: {
      label: "KL, nats",
      domain: domainOf(
        own.flatMap(({ kl, klOfIdeal }) => [kl, klOfIdeal]),
        1e-12,
      ),
    },
    height: () => 300,
  };
  return logarithmic(axes, () => [
    dot(own, { x: "x", y: "klOfIdeal", stroke: "var(--ink)", strokeWidth: 0.75, strokeOpacity: 0.6, r: 4 }),
    dot(own, { x: "x", y: "kl", fill: "colour", r: 2.75 }),
    tip(own, pointer({ ...TIP, x: "x", y: "kl", title: described })),
  ]);
}

function unseenText(points: readonly TrialPoint[]): CheckText {
  return checkTexts.find((name) => name !== "fit" && points.some(({ effects }) => effects[name])) ?? "fit";
}

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
