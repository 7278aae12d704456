import { type CheckText, checkTexts } from "../../steering/check/check-texts.js";
import {
  type ExperimentsSummary,
  type MethodSummary,
  summarizeExperiments,
} from "../../steering/trials/experiment-summary.js";
import type { Experiments } from "../../steering/trials/run-experiments.js";
import type { Trial } from "../../steering/trials/trial.js";
import { type Html, html } from "../page/html.js";
import { count, counted, significant } from "../page/numbers.js";
import { summaryTable } from "./experiments-table.js";
import { textLegend } from "./steering-sections.js";
import { textNames } from "./steering-texts.js";
import { bandColours, bandNames, wayName } from "./steering-trials.js";

/** One section of the page. */
export interface PageSection {
  readonly id: string;
  /** In the navigation. */
  readonly name: string;
  readonly title: string;
  readonly content: Html;
}

/** A section for each experiment that was made. */
export function experimentParts(experiments: Experiments): PageSection[] {
  const { scales, methods, lambdas, tokenCounts } = experiments;
  const summary = summarizeExperiments(experiments);
  const texts = textsOf([scales, methods, lambdas, tokenCounts].flatMap((list) => list ?? []));
  const drawn = experiments.groups.some(({ band }) => band !== undefined);
  const asked = experiments.groups.filter(({ band }) => band === undefined).length;
  const edits =
    drawn && experiments.groups.every(({ band }) => band !== undefined)
      ? "tokens drawn at random, made 5 times rarer and 5 times likelier"
      : asked === 1
        ? "the asked edit"
        : `${count(asked)} asked edits, each made alone`;
  const parts: (PageSection | undefined)[] = [
    scales && {
      id: "sweep",
      name: "Scales",
      title: "How far can a token be steered?",
      content: sweep(summary.scales!, texts),
    },
    methods && {
      id: "methods",
      name: "Methods",
      title: "Which method?",
      content: methodSection(summary.methods!, texts, edits),
    },
    lambdas && {
      id: "sizes",
      name: "Size",
      title: "Faithfulness against size",
      content: sizeSection(summary.sizes!, texts, edits),
    },
    tokenCounts && {
      id: "little",
      name: "Little text",
      title: "How little text is enough?",
      content: textSection(summary.tokenCounts!, texts, edits),
    },
  ];
  return parts.filter((part) => part !== undefined);
}

function textsOf(trials: readonly Trial[]): CheckText[] {
  return checkTexts.filter((text) => trials.some(({ effects }) => effects[text] !== undefined));
}

function bandLegend(): Html {
  return html`<div class="legend">${bandNames.map(
    (name, band) =>
      html`<span class="key"><span class="swatch" style="background:${bandColours[band]!}"></span>${name}</span>`,
  )}<span class="key"><span class="swatch ring"></span>a true logit bias</span><span class="key">× the paper’s direction</span></div>`;
}

function sweep(rows: NonNullable<ExperimentsSummary["scales"]>, texts: CheckText[]): Html {
  const unseen = texts.filter((text) => text !== "fit");
  return html`<p>Tokens drawn at random from three bands of frequency, each given each factor by itself, by the method in use and by the paper’s direction as the paper has it. Factors that would make a token’s mean probability 0.3 or more are left out.</p>
${bandLegend()}
<div class="columns three">${texts.map(
    (
      text,
    ) => html`<figure id="sweep-${text}"><div class="chart" data-label="Actual against wanted factor on the ${textNames[text]}, logarithmic, for tokens of three frequency bands"></div>
<figcaption><b>${capital(textNames[text])}.</b> Actual against wanted factor; the bars are hits. The bands stand beside one another.</figcaption></figure>`,
  )}</div>
<div class="columns two">${unseen.map(
    (
      text,
    ) => html`<figure id="miss-${text}"><div class="chart" data-label="Median miss of the edit and of the logit bias against the wanted factor, ${textNames[text]}"></div>
<figcaption><b>How far off, ${textNames[text]}.</b> Median over tokens of |ln(actual ÷ wanted)|: the edit (solid) and the true logit bias (dashed). 0.01 is about 1%.</figcaption></figure>`,
  )}
<figure id="sweep-cost"><div class="chart" data-label="Divergence between original and edited model against the wanted factor"></div>
<figcaption><b>What it costs.</b> KL(original ‖ edited), mean over contexts (${textNames[unseen[0] ?? "fit"]}), against the factor; rings are the logit bias.</figcaption></figure></div>
${summaryTable(
  "The sweep in numbers",
  rows.map((row) => [`${bandNames[row.band]}, ${wayName(row)}`, row]),
  texts,
)}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function methodSection(rows: readonly MethodSummary[], texts: CheckText[], edits: string): Html {
  return html`<p>All methods on ${edits}. The length along each direction is solved so that the fitting text has its factor, where any length gives it; the paper’s encoding is −ln r · A / |A|² as it is. In every row all other tokens keep their proportions
exactly, so KL and Jensen–Shannon divergence without the edited token are zero for each of them; they differ in where the token’s own probability goes.</p>
${textLegend(texts, false)}
<figure id="methods-figure"><div class="chart" data-label="Miss of each method on each text, one dot for each edit"></div>
<figcaption><b>|ln(actual ÷ wanted)| of each edit</b>, on a logarithmic scale; the bars mark the medians. Further left is better; 0.01 is about 1%. Misses below 10⁻⁶ stand at the left edge.</figcaption></figure>
${summaryTable(
  "Methods beside one another",
  rows.map((row) => [wayName(row), row]),
  texts,
)}`;
}

function sizeSection(rows: NonNullable<ExperimentsSummary["sizes"]>, texts: CheckText[], edits: string): Html {
  return html`<p>The nearest edit minimises KL(ideal ‖ edited) + λ · max(r, 1) · α · |x|². A small λ lets the edit grow to follow the logit bias more closely on the fitting text; on unseen text there is a point beyond which that no longer helps. Made for ${edits}.</p>
${textLegend(texts, false)}
<figure id="sizes-figure"><div class="chart" data-label="Divergence of the edit from the true logit bias against the size of the edit, for a sweep of lambda"></div>
<figcaption><b>Faithfulness against size.</b> Median over edits of KL(ideal ‖ edited) as a share of KL(original ‖ ideal), against the median of |x|; each dot is a λ, named above it, and the ring marks the one in use.</figcaption></figure>
${summaryTable(
  "The sweep of λ",
  rows.map((row) => [`${significant(row.size)}${row.chosen ? " (in use)" : ""}`, row]),
  texts,
)}`;
}

function textSection(rows: NonNullable<ExperimentsSummary["tokenCounts"]>, texts: CheckText[], edits: string): Html {
  return html`<p>The same edits fitted on the first tokens of the fitting text only, and measured on all of it and on unseen text: ${edits}.</p>
${textLegend(texts, false)}
<figure id="tokens-figure"><div class="chart" data-label="Median miss of edits against the number of tokens that they were fitted on"></div>
<figcaption><b>|ln(actual ÷ wanted)|, median over edits,</b> against how many tokens of text were fitted on: the edit (solid) and the true logit bias calibrated on the same tokens (dashed).</figcaption></figure>
${summaryTable(
  "In numbers",
  rows.map((row) => [counted(row.contexts, "token"), row]),
  texts,
)}`;
}
