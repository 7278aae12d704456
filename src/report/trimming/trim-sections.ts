import type { BeforeAfter } from "../../measures/before-after.js";
import type { TrimRun } from "../../trimming/trim-run.js";
import { type Html, html } from "../page/html.js";
import { bytes, count, counted, decimal, duration, probability, significant } from "../page/numbers.js";
import { beginText, facts, fileList, madeBy, type Provenance } from "../page/provenance-section.js";
import { tokenLabel } from "../page/token-label.js";
import { visibleText } from "../page/visible-text.js";

const PATH_CHARACTERS = 200;

/** What the output loses, and what it takes to read a text. */
export function lostSection({ check }: TrimRun): Html {
  const { removedMass, perplexityPerByte, tokensPerByte } = check;
  return html`<div class="columns two">
<div class="wide"><table><caption><b>Probability of the tokens that went</b> over ${counted(check.contexts, "context")} of unseen text</caption>
<tbody><tr><td>mean</td><td class="number">${probability(removedMass.mean)}</td></tr>
<tr><td>95% of the contexts, at most</td><td class="number">${probability(removedMass.percentile95)}</td></tr>
<tr><td>largest</td><td class="number">${probability(removedMass.max)}</td></tr>
<tr><td>KL(trimmed ‖ original), nats</td><td class="number">${significant(check.kl)}</td></tr></tbody></table></div>
${beforeAfterTable("The same text, each with its own tokens", [
  ["perplexity per byte", perplexityPerByte, (value) => decimal(value, 4)],
  ["tokens per byte", tokensPerByte, (value) => decimal(value, 4)],
])}
</div>
<p class="note">KL the other way round is infinite wherever a token that went had any probability. Perplexity is per byte: a token is another thing before and after.</p>`;
}

export function gainedSection({ bytes: sizes, milliseconds, vocabSize }: TrimRun): Html {
  return beforeAfterTable("Size and time", [
    ["rows of E", vocabSize, count],
    ["bytes of the head", sizes.head, bytes],
    ["bytes of all weights", sizes.model, bytes],
    ["milliseconds per token, head", milliseconds.head, significant],
    ["milliseconds per token, whole step", milliseconds.step, significant],
  ]);
}

function beforeAfterTable(title: string, rows: readonly [string, BeforeAfter, (value: number) => string][]): Html {
  return html`<div class="wide"><table><caption><b>${title}</b></caption>
<thead><tr><th scope="col"></th><th scope="col" class="number">before</th><th scope="col" class="number">after</th><th scope="col" class="number">ratio</th></tr></thead>
<tbody>${rows.map(
    ([name, { before, after }, shown]) =>
      html`<tr><td>${name}</td><td class="number">${shown(before)}</td><td class="number">${shown(after)}</td><td class="number">${decimal(after / before, 3)}</td></tr>\n`,
  )}</tbody></table></div>`;
}

export function curveSection(): Html {
  return html`<figure id="mass-figure">
<div class="chart" data-label="Line chart of the probability and the share of the text of all tokens but the most used, against how many stay, on logarithmic scales"></div>
<figcaption><b>What all tokens but the k most used have,</b> over the text by which they are ranked: of the output <span style="color:var(--accent)">(solid)</span> and of the text itself <span style="color:var(--warm)">(dashed)</span>. The point is what was chosen; it may
lie above the line, since bytes, special tokens and the parts of longer tokens stay too.</figcaption>
</figure>`;
}

export function kindsSection({ kinds, mostUsed }: TrimRun): Html {
  return html`<div class="columns two">
<div class="wide"><table><caption><b>Tokens by script and kind</b></caption>
<thead><tr><th scope="col">kind</th><th scope="col" class="number">before</th><th scope="col" class="number">after</th><th scope="col" class="number">mass removed</th></tr></thead>
<tbody>${kinds.map(
    ({ kind, before, after, removed }) =>
      html`<tr><td>${kind}</td><td class="number">${count(before)}</td><td class="number">${count(after)}</td><td class="number">${probability(removed)}</td></tr>\n`,
  )}</tbody></table></div>
<div class="wide"><table><caption><b>Of the tokens that went, the most used</b></caption>
<thead><tr><th scope="col">token</th><th scope="col" class="number">mean probability</th><th scope="col" class="number">in the text</th></tr></thead>
<tbody>${mostUsed.map(
    ({ id, text, meanProbability, count: times }) =>
      html`<tr><td>${tokenLabel(text, id)}</td><td class="number">${probability(meanProbability)}</td><td class="number">${count(times)}</td></tr>\n`,
  )}</tbody></table></div>
</div>`;
}

export function trimMadeSection(run: TrimRun, provenance: Provenance): Html {
  const { version, date } = provenance;
  const { model, corpus, kept, warnings } = run;
  return html`${madeBy(provenance)}
${warnings.length > 0 ? html`<ul>${warnings.map((warning) => html`<li>${visibleText(warning, 400)}</li>`)}</ul>` : undefined}
<div class="columns three facts">
${facts("Model", [
  ["name", visibleText(model.name, PATH_CHARACTERS)],
  ["architecture", visibleText(model.modelType)],
  ["hidden size d", count(model.hiddenSize)],
  ["stored as", visibleText(model.dtype)],
  ["E is", model.tied ? "also the input embedding (tied)" : "the head’s own (untied)"],
])}
${facts("Choice", [
  ["ranked on", fileList(corpus.fit)],
  ["contexts", count(corpus.contexts)],
  ["unseen", fileList(corpus.check)],
  ["begin-of-text", beginText(corpus.beginOfText)],
  ["always stay", kept.always === undefined ? undefined : counted(kept.always, "token")],
  ["chosen", kept.chosen === undefined ? undefined : counted(kept.chosen, "token")],
  ["parts of those", kept.parts === undefined ? undefined : counted(kept.parts, "token")],
])}
${facts("Run", [
  ["threads", count(run.threads)],
  ["in all", duration(run.seconds)],
  ["version", version && visibleText(version)],
  ["date", date && visibleText(date)],
])}
</div>
<p class="note">What is measured above was measured on the original’s own head: a trimmed model has the original’s hidden states and its logits of the tokens that stay.</p>`;
}
