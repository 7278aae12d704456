import { finiteMedian } from "../../measures/median.js";
import type { SteeringRun } from "../../steering/steering-run.js";
import {
  type ExperimentsSummary,
  type MethodSummary,
  summarizeExperiments,
} from "../../steering/trials/experiment-summary.js";
import type { Experiments } from "../../steering/trials/run-experiments.js";
import { type Html, html } from "../page/html.js";
import { count, counted } from "../page/numbers.js";
import { tile } from "../page/tile.js";
import { shortName } from "../page/visible-text.js";
import { offBy, shortMiss } from "./steering-headline.js";
import { bandNames, wayName } from "./steering-trials.js";

/** The page's head where nothing was written. */
export function experimentsHeadline({ model }: SteeringRun, experiments: Experiments): Html {
  const { scales, methods, lambdas, tokenCounts } = experiments;
  const trials = [scales, methods, lambdas, tokenCounts].flatMap((list) => list ?? []);
  const tiles = scales ? sweepTiles(summarizeExperiments(experiments)) : undefined;
  return html`<header class="headline">
<p class="eyebrow">Steering, tried out · ${shortName(model.name)}</p>
<h1>${experimentsVerdict(experiments)}</h1>
<p class="lead">${counted(trials.length, "edit")} of single rows${experiments.groups.some(({ tokens }) => tokens.length > 1) ? " and sets of rows" : ""} of the output embedding of <b>${shortName(model.name)}</b>
(${count(model.vocabSize)} × ${count(model.hiddenSize)}) were solved, each alone, and measured on text; nothing was written. Their whole effect follows exactly from one number a context.</p>
${tiles}
</header>`;
}

function experimentsVerdict(experiments: Experiments): string {
  const { scales, methods } = experiments;
  const summary = summarizeExperiments(experiments);
  if (scales) {
    const own = scales.filter((trial) => !isPaper(trial));
    const wanted = own.map(({ wantedScale }) => wantedScale);
    const text = own[0]?.effects.inDomain ? "inDomain" : "fit";
    const rows = summary.scales!.filter((row) => !isPaper(row));
    const of = (pick: "medianMiss" | "idealMedianMiss") =>
      finiteMedian(rows.map(({ texts }) => texts[text]?.[pick] ?? Number.NaN));
    return `Random tokens, made ${plain(Math.min(...wanted))} to ${plain(Math.max(...wanted))} times as likely: off by ${offBy(of("medianMiss"))} on ${text === "fit" ? "the fitting text" : "unseen text"}, a true logit bias by ${offBy(of("idealMedianMiss"))}`;
  }
  if (methods) return waysVerdict(new Set(methods.map(wayName)).size);
  return "What it takes to write a token’s probability into its row";
}

const NUMBERS = ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten"];

/** @param ways rows of the table of methods */
function waysVerdict(ways: number): string {
  const beside = ways === 1 ? "" : ", beside one another";
  return `${NUMBERS[ways] ?? count(ways)} way${ways === 1 ? "" : "s"} to write a token’s probability into its row${beside}`;
}

function plain(factor: number): string {
  return `${Number(factor.toPrecision(3))}`;
}

function isPaper({ method, calibrated }: Pick<MethodSummary, "method" | "calibrated">): boolean {
  return method === "encoding" && !calibrated;
}

function sweepTiles({ scales = [] }: ExperimentsSummary): Html {
  const tileOf = (row: MethodSummary & { band: number }) => {
    const { inDomain, fit } = row.texts;
    const text = inDomain ?? fit;
    return tile(
      `${bandNames[row.band]}${isPaper(row) ? ", the paper’s way" : ""}`,
      text === undefined ? "–" : shortMiss(text.medianMiss),
      `off by so much on ${inDomain ? "unseen text" : "the fitting text"} (median); a logit bias: ${text === undefined ? "–" : offBy(text.idealMedianMiss)}`,
    );
  };
  const order = [...scales].sort((a, b) => Number(isPaper(a)) - Number(isPaper(b)) || a.band - b.band);
  return html`<dl class="tiles">${order.map(tileOf)}</dl>`;
}
