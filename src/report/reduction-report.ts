import type { CurvePoint, GeneratedTexts, ReductionMeasures, ReductionRun } from "../reduction/reduction-run.js";
import { shortName, tile } from "./headline.js";
import { type Html, html } from "./html.js";
import { bytes, count, decimal, duration, percent, significant } from "./numbers.js";
import { pageFrame, section } from "./page-frame.js";
import { facts, type Provenance } from "./provenance-section.js";
import { methodName, type ReductionPageData } from "./reduction-page-data.js";
import { pageScript } from "./reduction-page-script.generated.js";
import { visibleText } from "./visible-text.js";

const COMMAND_CHARACTERS = 2000;
const PATH_CHARACTERS = 200;
const SAMPLE_CHARACTERS = 2000;

/**
 * The report of a reduction as a single HTML file that works offline. The same result gives the same bytes.
 * @param run texts and names in it are untrusted; they only ever become text
 */
export function renderReductionReport(run: ReductionRun, provenance: Provenance = {}): string {
  const { curve, encoding, generated } = run;
  const content = html`${headline(run)}
<section class="primer" aria-label="The idea">
<p><b>The idea.</b> The last matrix of the model, E, turns d = ${count(run.model.hiddenSize)} numbers into ${count(run.model.vocabSize)} logits. Not all of the d numbers matter for the output. Those that do not can be deleted; what they added on
average, and what the others can tell of them, can be made up for. Everything below was measured on text that the reduction was not fitted to, against the original model in the same contexts.</p>
</section>
<noscript><p><b>The figures need JavaScript.</b> The text and the tables do not.</p></noscript>
${section("lost", "What was lost", lostSection(run))}
${section("gained", "What was gained", gainedSection(run))}
${curve && section("curve", "How much can go?", curveSection(curve))}
${encoding && section("encoding", "What becomes of the probability code", encodingSection())}
${generated && section("texts", "What it writes", html`${generated.map(textsSection)}`)}
${section("made", "How this was made", madeSection(run, provenance))}`;
  const sections = {
    lost: "Lost",
    gained: "Gained",
    ...(curve && { curve: "Curve" }),
    ...(encoding && { encoding: "Encoding" }),
    ...(generated && { texts: "Texts" }),
    made: "Making of",
  };
  const data: ReductionPageData = {
    curve: curve ?? [],
    encoding: encoding ?? [],
    chosen: {
      fraction: run.deleted / run.model.hiddenSize,
      kl: run.measures.check.kl.mean,
      top1: run.measures.check.top1,
    },
  };
  return pageFrame({
    title: `Reducing the head of ${shortName(run.model.name)}`,
    sections,
    content,
    data,
    script: pageScript,
  });
}

function headline(run: ReductionRun): Html {
  const { check } = run.measures;
  const share = run.deleted / run.model.hiddenSize;
  const verdict =
    check.top1 >= 0.95
      ? "hardly changes the output"
      : check.top1 >= 0.85
        ? "changes the output a little"
        : check.top1 >= 0.6
          ? "changes the output clearly"
          : "changes the output beyond recognition";
  return html`<header><p class="kicker">unembed · reduction</p>
<h1>Deleting ${percent(share, 0)} of the head’s dimensions ${verdict}</h1>
<p class="lead">${count(run.deleted)} of ${count(run.model.hiddenSize)} dimensions of <b>${visibleText(shortName(run.model.name), 80)}</b> were deleted by ${methodName(run.order, run.compensate)}. On unseen text the likeliest token is the same in
${percent(check.top1)} of the contexts, and the distribution moves by ${significant(check.kl.mean)} nats on average (KL).</p>
<dl class="tiles">
${tile("KL", significant(check.kl.mean), "KL(original ‖ reduced), nats, mean over contexts of unseen text")}
${tile("top-1", percent(check.top1), "contexts in which the likeliest token stays the same")}
${tile("perplexity", `${decimal(check.perplexity.before, 2)} → ${decimal(check.perplexity.after, 2)}`, "of the text’s own next tokens")}
${tile("kept", `${count(run.kept)} / ${count(run.model.hiddenSize)}`, "dimensions that the head still uses")}
</dl></header>`;
}

function lostSection({ measures, budget, warnings }: ReductionRun): Html {
  const row = (name: string, { contexts, kl, js, top1, perplexity }: ReductionMeasures) =>
    html`<tr><th scope="row">${name}</th><td class="number">${count(contexts)}</td>${[
      kl.mean,
      kl.percentile95,
      kl.max,
      js.mean,
      js.percentile95,
    ].map((value) => html`<td class="number">${significant(value)}</td>`)}<td class="number">${percent(top1)}</td>
<td class="number">${decimal(perplexity.before, 3)}</td><td class="number">${decimal(perplexity.after, 3)}</td></tr>`;
  return html`<div class="wide"><table><thead><tr><th scope="col">text</th><th scope="col" class="number">contexts</th><th scope="col" class="number">KL mean</th><th scope="col" class="number">95%</th><th scope="col" class="number">largest</th>
<th scope="col" class="number">JS mean</th><th scope="col" class="number">95%</th><th scope="col" class="number">top-1</th><th scope="col" class="number">perplexity</th><th scope="col" class="number">reduced</th></tr></thead>
<tbody>${row("fitted on", measures.fit)}${row("unseen", measures.check)}${budget && row("budget verified on", budget.verified)}</tbody></table></div>
${
  budget &&
  html`<p>Asked for was the largest deletion with a mean KL of at most ${significant(budget.maxKl)} nats. It was searched for on one half of the unseen text; the last row is the other half, which the search did not see.</p>`
}
${warnings.map((warning) => html`<p class="note">${visibleText(warning, 500)}</p>`)}
<p class="note">KL and Jensen-Shannon divergence in nats. The difference between the first two rows is what the reduction owes to having seen the text it was fitted to.</p>`;
}

function gainedSection({ bytes: size, milliseconds, model, kept }: ReductionRun): Html {
  const row = (name: string, before: string, after: string, ratio: number) =>
    html`<tr><th scope="row">${name}</th><td class="number">${before}</td><td class="number">${after}</td><td class="number">${decimal(ratio, 2)}</td></tr>`;
  const timed = (name: string, pair: { before: number; after: number } | undefined) =>
    pair && row(name, `${decimal(pair.before, 3)} ms`, `${decimal(pair.after, 3)} ms`, pair.after / pair.before);
  return html`<div class="wide"><table><thead><tr><th scope="col"></th><th scope="col" class="number">original</th><th scope="col" class="number">reduced</th><th scope="col" class="number">ratio</th></tr></thead>
<tbody>${row("numbers that the head multiplies by", count(model.vocabSize * model.hiddenSize), count(model.vocabSize * kept), kept / model.hiddenSize)}
${row("head", bytes(size.head.before), bytes(size.head.after), size.head.after / size.head.before)}
${row("whole model", bytes(size.model.before), bytes(size.model.after), size.model.after / size.model.before)}
${timed("head, per token", milliseconds?.head)}
${timed("whole decoding step, per token", milliseconds?.step)}</tbody></table></div>
<p class="note">Sizes are those of the factored head (<code>--format onnx</code>). As safetensors the head keeps its shape, so that any runtime loads it, and nothing is saved. A model whose input embedding is the same matrix keeps that in
full: its size can then even grow. Times are medians, measured in turn in one run.</p>`;
}

function curveSection(curve: readonly CurvePoint[]): Html {
  const shown = [0.1, 0.3, 0.5, 0.7];
  const methods = [...new Set(curve.map(({ order, compensate }) => methodName(order, compensate)))];
  const at = (method: string, fraction: number) =>
    curve.find(
      (point) => methodName(point.order, point.compensate) === method && Math.abs(point.fraction - fraction) < 1e-9,
    );
  return html`<div class="controls" id="curve-controls"></div>
<figure id="kl-figure"><div class="legend" id="curve-legend"></div>
<div class="chart" data-label="KL divergence between original and reduced output against the share of dimensions deleted"></div>
<figcaption><b>How far the output moves</b>, KL(original ‖ reduced) in nats on unseen text, against the share of dimensions deleted. The vertical scale is logarithmic. The ring is the reduction of this report.</figcaption></figure>
<figure id="top1-figure"><div class="chart" data-label="Top-1 agreement against the share of dimensions deleted"></div>
<figcaption><b>How often the likeliest token stays the same.</b></figcaption></figure>
<figure id="perplexity-figure"><div class="chart" data-label="Perplexity against the share of dimensions deleted"></div>
<figcaption><b>Perplexity of the text’s next tokens.</b></figcaption></figure>
<details><summary>The same as a table</summary><div class="wide"><table><thead><tr><th scope="col">deleted</th>${shown.map(
    (fraction) =>
      html`<th scope="col" class="number">${percent(fraction, 0)}: KL</th><th scope="col" class="number">top-1</th>`,
  )}</tr></thead>
<tbody>${methods.map(
    (method) =>
      html`<tr><th scope="row">${method}</th>${shown.map((fraction) => {
        const point = at(method, fraction);
        return html`<td class="number">${significant(point?.kl ?? Number.NaN)}</td><td class="number">${percent(point?.top1 ?? Number.NaN)}</td>`;
      })}</tr>
`,
  )}</tbody></table></div></details>`;
}

function encodingSection(): Html {
  return html`<p>The average probability of a token is written in its row of E as one linear code. Refitted on what is kept, it loses R² only as fast as the dimensions that carry it go.</p>
<figure id="encoding-figure"><div class="chart" data-label="R squared of the encoding refitted on the kept dimensions against the share deleted"></div>
<figcaption><b>R² of the encoding on what is kept</b>, by the order of deletion.</figcaption></figure>`;
}

function textsSection({ deleted, mauve, mauveOfOriginal, distinct, repetition, samples }: GeneratedTexts): Html {
  const pair = (before: number, after: number) =>
    html`<td class="number">${decimal(before, 3)}</td><td class="number">${decimal(after, 3)}</td>`;
  return html`<h3>${count(deleted)} dimensions deleted</h3>
<table><thead><tr><th scope="col"></th><th scope="col" class="number">original</th><th scope="col" class="number">reduced</th></tr></thead><tbody>
<tr><th scope="row">MAUVE against the original’s texts</th>${pair(mauveOfOriginal ?? Number.NaN, mauve ?? Number.NaN)}</tr>
${distinct.map(({ before, after }, i) => html`<tr><th scope="row">different ${["words", "pairs", "triples"][i]} of tokens</th>${pair(before, after)}</tr>`)}
<tr><th scope="row">repeated 4-grams</th>${pair(repetition.before, repetition.after)}</tr></tbody></table>
${samples.map(
  ({ prompt, before, after }) =>
    html`<div class="columns"><figure><pre><b>${visibleText(prompt, SAMPLE_CHARACTERS)}</b>${visibleText(before, SAMPLE_CHARACTERS)}</pre><figcaption>original</figcaption></figure>
<figure><pre><b>${visibleText(prompt, SAMPLE_CHARACTERS)}</b>${visibleText(after, SAMPLE_CHARACTERS)}</pre><figcaption>reduced</figcaption></figure></div>`,
)}`;
}

function madeSection(run: ReductionRun, { command, version, date }: Provenance): Html {
  const { model, corpus } = run;
  const files = (list: ReductionRun["corpus"]["fit"]) =>
    html`<ul>${list.slice(0, 12).map((file) => html`<li>${visibleText(file.name, PATH_CHARACTERS)}</li>`)}</ul>`;
  return html`${command && html`<p>Made with</p><pre class="command"><code>${visibleText(command, COMMAND_CHARACTERS)}</code></pre>`}
<div class="columns three facts">
${facts("Model", [
  ["name", visibleText(model.name, PATH_CHARACTERS)],
  ["architecture", visibleText(model.modelType)],
  ["outputs V", count(model.vocabSize)],
  ["hidden size d", count(model.hiddenSize)],
  ["stored as", visibleText(model.dtype)],
  ["E is", model.tied ? "also the input embedding (tied)" : "the head's own (untied)"],
])}
${facts("Text", [
  ["fitted on", files(corpus.fit)],
  ["unseen", files(corpus.check)],
  ["contexts", `${count(corpus.contexts.fit)} fitted, ${count(corpus.contexts.check)} unseen`],
  ["context length", `${count(corpus.contextLength)} tokens`],
])}
${facts("Run", [
  ["order", run.order],
  ["metric", run.metric],
  ["compensation", run.compensate],
  ["seed", String(run.seed)],
  ["threads", count(run.threads)],
  ["in all", duration(run.seconds)],
  ["version", version && visibleText(version)],
  ["date", date && visibleText(date)],
])}
</div>`;
}
