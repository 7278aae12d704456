import type { Comparison, Mover } from "../../compare/comparison.js";
import type { Spread } from "../../measures/context-values.js";
import { divergenceText, LEAST_DIVERGENCE } from "../page/divergence-text.js";
import { type Html, html } from "../page/html.js";
import { lineKey } from "../page/line-key.js";
import { count, counted, duration, percent, probability, significant, times } from "../page/numbers.js";
import { facts, madeBy, type Provenance, textFacts } from "../page/provenance-section.js";
import { tokenLabel } from "../page/token-label.js";
import { visibleText } from "../page/visible-text.js";
import { isSame, shownPerplexity } from "./comparison-headline.js";
import { type DivergenceName, divergenceLooks } from "./comparison-page-data.js";
import type { NotableMovers } from "./notable-movers.js";

const NAME_CHARACTERS = 200;

/** The measures as a table, and how the divergences are spread over the contexts. */
export function divergenceSection(comparison: Comparison): Html {
  const { kl, reverseKl, js, perContext } = comparison;
  const spreads = { kl, reverseKl, js } satisfies Record<DivergenceName, Spread>;
  const same = perContext.js.reduce((sum, value) => sum + Number(value < LEAST_DIVERGENCE), 0);
  return html`<div class="columns two">
<div class="wide"><table><caption><b>Divergence per context</b> in nats</caption>
<thead><tr><th scope="col">measure</th><th scope="col" class="number">mean</th><th scope="col" class="number">95% are below</th><th scope="col" class="number">largest</th></tr></thead>
<tbody>${Object.entries(spreads).map(([measure, { mean, percentile95, max }]) => {
    const cells = [mean, percentile95, max].map((value) => html`<td class="number">${divergenceText(value)}</td>`);
    return html`<tr><td>${divergenceLooks[measure as DivergenceName].name}</td>${cells}</tr>\n`;
  })}</tbody></table></div>
${predictionTable(comparison)}
</div>
${isSame(comparison) ? html`<p>No context differs by more than the rounding of float32 logits, so there is nothing to draw.</p>` : divergenceFigures()}
<p class="note">KL(A ‖ B) weighs differences by A’s probabilities, KL(B ‖ A) by B’s; Jensen–Shannon is the mean divergence of both from their average, at most ln 2.${
    same === 0 || isSame(comparison)
      ? ""
      : ` In ${counted(same, "context")} the divergence is below 10⁻⁹, the rounding of float32 logits; the figures leave them out.`
  }</p>`;
}

function divergenceFigures(): Html {
  const legend = (names: readonly DivergenceName[]) =>
    html`<div class="legend">${names.map((name) => {
      const { colour, name: shown } = divergenceLooks[name];
      return lineKey(colour, shown, name === "reverseKl");
    })}</div>`;
  return html`<div class="columns two">
<figure id="spread-figure">${legend(["kl", "js"])}
<div class="chart" data-label="Histogram of the divergences of all contexts on a logarithmic scale"></div>
<figcaption><b>How the contexts are spread.</b> Share of the contexts in each fifth of a decade of nats.</figcaption>
</figure>
<figure id="exceedance-figure">${legend(["kl", "reverseKl", "js"])}
<div class="chart" data-label="Share of the contexts that differ by at least so much, on logarithmic scales"></div>
<figcaption><b>How rare large differences are.</b> Share of the contexts that differ by at least so much; where a curve meets 1%, one context in a hundred differs more.</figcaption>
</figure>
</div>`;
}

function predictionTable({ corpus, predictedTokens, perplexity, top1Agreement }: Comparison): Html {
  const rows: [string, string][] = [
    ["contexts", count(corpus.contexts)],
    ["same likeliest token", percent(top1Agreement)],
    ["perplexity under A", shownPerplexity(perplexity.a)],
    ["perplexity under B", shownPerplexity(perplexity.b)],
    ["next tokens that these are of", count(predictedTokens)],
  ];
  return html`<div class="wide"><table><caption><b>Predictions</b></caption>
<tbody>${rows.map(([name, value]) => html`<tr><td>${name}</td><td class="number">${value}</td></tr>\n`)}</tbody></table></div>`;
}

/** The mean probabilities of all tokens under both models. */
export function probabilitySection({ tokenIds }: Comparison): Html {
  return html`<div class="columns wide-left">
<figure id="probability-figure">
<div class="controls" id="probability-controls"></div>
<div class="chart cloud" data-label="Scatter plot of the mean probability of ${count(tokenIds.length)} tokens under B against that under A, on logarithmic scales"></div>
<figcaption><b>Mean probability α under B against that under A, one point per token.</b> On the line both models use a token equally often; above it B uses it more. Named are the likeliest tokens and those that moved most.</figcaption>
</figure>
<div class="side">
<div class="search" role="search">
<label for="token-search">Find a token</label>
<input id="token-search" type="search" placeholder="a word, part of one, or #id" autocomplete="off" autocapitalize="off" spellcheck="false" maxlength="60" aria-describedby="search-note">
<p class="note" id="search-note">Marks it in the figure. ␣ stands for a space. Hover or tap a point to see its token; click to mark it.</p>
<p class="list-title" id="token-list-title"></p>
<ul class="token-list" id="token-list" aria-live="polite" aria-labelledby="token-list-title"></ul>
</div>
</div>
</div>`;
}

export function moverSection({ likelier, rarer, byMass }: NotableMovers): Html {
  if (byMass.length === 0) return html`<p>No token’s mean probability differs.</p>`;
  return html`<div class="columns three">
${moverTable("Likelier under B", "by the largest factor", likelier, changed)}
${moverTable("Rarer under B", "by the largest factor", rarer, changed)}
${moverTable("Most probability moved", "by the difference, in percentage points", byMass, ({ a, b }) => points(b - a))}
</div>`;
}

function moverTable(title: string, note: string, movers: readonly Mover[], change: (mover: Mover) => string): Html {
  return html`<div class="wide"><table><caption><b>${title}</b> ${note}</caption>
<thead><tr><th scope="col">token</th><th scope="col" class="number">α under A</th><th scope="col" class="number">under B</th><th scope="col" class="number">change</th></tr></thead>
<tbody>${movers.map(
    (mover) =>
      html`<tr><td>${tokenLabel(mover.token, mover.id)}</td><td class="number">${probability(mover.a)}</td><td class="number">${probability(mover.b)}</td><td class="number">${change(mover)}</td></tr>
`,
  )}</tbody></table></div>`;
}

/** A factor, as a percentage where it is near 1. */
function changed({ scale }: Mover): string {
  if (scale > 2 || scale < 0.5) return times(scale, "up", "down");
  return `${scale > 1 ? "+" : "−"}${percent(Math.abs(scale - 1))}`;
}

function points(difference: number): string {
  return `${difference > 0 ? "+" : ""}${significant(100 * difference)}`;
}

export function comparisonMadeSection(comparison: Comparison, provenance: Provenance): Html {
  const { version, date } = provenance;
  const { models, vocabSize, corpus, threads, seconds, tokensPerSecond } = comparison;
  const model = (letter: string, { name, modelType, rows, hiddenSize, dtype }: Comparison["models"]["a"]) =>
    facts(`Model ${letter}`, [
      ["name", visibleText(name, NAME_CHARACTERS)],
      ["architecture", visibleText(modelType)],
      [
        "V × d",
        `${count(rows)} × ${count(hiddenSize)}${rows === vocabSize ? "" : `, of which ${count(vocabSize)} are compared`}`,
      ],
      ["stored as", visibleText(dtype)],
    ]);
  return html`${madeBy(provenance)}
<div class="columns three facts">
<div>${model("A", models.a)}${model("B", models.b)}</div>
${facts("Text", textFacts(corpus))}
${facts("Run", [
  ["threads", count(threads)],
  ["in all", duration(seconds)],
  ["speed", `${count(tokensPerSecond)} tokens/s`],
  ["version", version && visibleText(version)],
  ["date", date && visibleText(date)],
])}
</div>
<p class="note"><code>run.json</code> beside this page holds the numbers; <code>tensors.safetensors</code> the mean probabilities of every token (<code>mean_probability_a</code>, <code>mean_probability_b</code>, [V]) and the divergences of every context in the order of the text (<code>kl</code>, <code>reverse_kl</code>, <code>js</code>, [contexts]).</p>`;
}
