import type { BeforeAfter } from "../../measures/before-after.js";
import type { CurvePoint, ReducedTexts, ReductionMeasures, ReductionRun } from "../../reduction/reduction-run.js";
import { type Html, html } from "../page/html.js";
import { bytes, count, counted, decimal, duration, percent, significant } from "../page/numbers.js";
import { pageFrame, section } from "../page/page-frame.js";
import { facts, type Provenance } from "../page/provenance-section.js";
import { tile } from "../page/tile.js";
import { shortName, visibleText } from "../page/visible-text.js";
import { methodName, type ReductionPageData } from "./reduction-page-data.js";
import { pageScript } from "./reduction-page-script.generated.js";

const COMMAND_CHARACTERS = 2000;
const PATH_CHARACTERS = 200;
/** Files listed by name; a corpus of thousands would drown the rest. */
const LISTED_FILES = 12;
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
      perplexity: run.measures.check.perplexity.after,
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
  const { model, measures, order, compensate, kept, deleted } = run;
  const { check } = measures;
  const share = deleted / model.hiddenSize;
  return html`<header class="headline">
<p class="eyebrow">Reduction of the output head · ${shortName(model.name)}</p>
<h1>Deleting ${percent(share, 0)} of the head’s dimensions ${verdict(check.top1)}</h1>
<p class="lead">${count(deleted)} of ${count(model.hiddenSize)} dimensions were deleted by <b>${methodName(order, compensate)}</b>. <b>Lost:</b> on unseen text the likeliest token is another one in
${percent(1 - check.top1)} of the contexts, the distribution moves by ${significant(check.kl.mean)} nats on average, and perplexity goes from ${decimal(check.perplexity.before, 2)} to ${decimal(check.perplexity.after, 2)}
(${signedPercent(check.perplexity.after / check.perplexity.before - 1)}). <b>Gained:</b> ${gain(run)}</p>
<dl class="tiles">
${tile("KL", significant(check.kl.mean), "nats, original to reduced, mean over contexts of unseen text")}
${tile("same likeliest token", percent(check.top1), "of the contexts of unseen text")}
${tile("perplexity", `× ${decimal(check.perplexity.after / check.perplexity.before, 3)}`, "of the text’s own next tokens")}
${tile("dimensions kept", count(kept), `of ${count(model.hiddenSize)} that the head used`)}
${tile("head", `× ${decimal(run.bytes.head.after / run.bytes.head.before, 2)}`, `in bytes, factored: ${bytes(run.bytes.head.after)}`)}
${
  run.milliseconds
    ? tile(
        "time of the head",
        `× ${decimal(run.milliseconds.head.after / run.milliseconds.head.before, 2)}`,
        "per token, measured in one run",
      )
    : tile(
        "model",
        `× ${decimal(run.bytes.model.after / run.bytes.model.before, 2)}`,
        "in bytes, with the factored head",
      )
}
</dl></header>`;
}

/**
 * Words for the share of contexts whose likeliest token stays, from what goes with it on the embedded model: perplexity up by
 * under 1%, by 2 or 3%, by about 10%, by up to a half, and more.
 */
const VERDICTS = [
  [0.97, "hardly changes the output"],
  [0.92, "changes the output a little"],
  [0.8, "changes the output noticeably"],
  [0.6, "changes the output a lot"],
  [0, "changes the output beyond recognition"],
] as const;

function verdict(top1: number): string {
  return VERDICTS.find(([least]) => top1 >= least)![1];
}

function signedPercent(share: number): string {
  return `${share > 0 ? "+" : ""}${percent(share).replace("-", "−")}`;
}

/** What was gained in a sentence; of a folder that keeps the head's shape, what its weights take and what ONNX would give. */
function gain({ format, bytes: size, milliseconds, model, kept }: ReductionRun): string {
  const work = `a head that multiplies by ${count(model.vocabSize * kept)} numbers instead of ${count(model.vocabSize * model.hiddenSize)}`;
  const time = milliseconds && milliseconds.head.after / milliseconds.head.before;
  const slower = time !== undefined && time >= 1;
  const faster = time === undefined || slower ? "" : ` and takes ${decimal(time, 2)} of the time`;
  const long = slower ? `, but took ${decimal(time, 2)} times as long when this was measured` : "";
  const grown = size.model.after > size.model.before;
  const whole = `the model is ${bytes(Math.abs(size.model.before - size.model.after))} ${grown ? "larger, since its input embedding, the same matrix, stays whole" : "smaller"}`;
  const sentence = `${work}${faster}${long}; ${whole}.`;
  if (format !== "safetensors") return sentence;
  const written =
    size.written && `; its weights take ${bytes(size.written.after)}, the original’s ${bytes(size.written.before)}`;
  return `nothing in this folder, whose head keeps its shape so that any runtime loads it${written ?? ""}. Written with --format onnx it is ${sentence}`;
}

function lostSection({ measures, budget, warnings }: ReductionRun): Html {
  const row = (name: string, { contexts, kl, js, top1, perplexity }: ReductionMeasures) =>
    html`<tr><th scope="row">${name}</th>${numbers(
      count(contexts),
      ...[kl.mean, kl.percentile95, kl.max, js.mean, js.percentile95].map(significant),
      percent(top1),
      decimal(perplexity.before, 3),
      decimal(perplexity.after, 3),
    )}</tr>`;
  return html`${table(
    ["text", "contexts", "KL mean", "95%", "largest", "JS mean", "95%", "top-1", "perplexity", "reduced"],
    [
      row("fitted on", measures.fit),
      row("unseen", measures.check),
      budget && row("unseen, budget verified on", budget.verified),
    ],
  )}
${
  budget &&
  html`<p>Asked for was the largest deletion with a mean KL of at most ${significant(budget.maxKl)} nats. It was searched for on one part of the unseen text; the last row is another part, which the search did not see.</p>`
}
${warnings.map((warning) => html`<p><b>To know:</b> ${visibleText(warning, 500)}.</p>`)}
<p class="note">KL(original ‖ reduced) and Jensen-Shannon divergence in nats: the mean over the contexts, what 95% of them stay below, and the largest. Top-1 is the share of contexts in which both have the same likeliest token.
The difference between the first two rows is what the reduction owes to having seen the text it was fitted to.</p>`;
}

function gainedSection(run: ReductionRun): Html {
  const { bytes: size, milliseconds, model, kept } = run;
  const row = (name: string, before: string, after: string, ratio: number) =>
    html`<tr><th scope="row">${name}</th>${numbers(before, after, decimal(ratio, 2))}</tr>`;
  const sized = (name: string, { before, after }: BeforeAfter) =>
    row(name, bytes(before), bytes(after), after / before);
  const isWritten = (format: ReductionRun["format"]) => (format === run.format ? ", as it was written" : "");
  const wholeOf = (format: NonNullable<ReductionRun["format"]>, made: BeforeAfter | undefined) => {
    const pair = (format === run.format && size.written) || made;
    return pair && sized(`bytes of the model as ${format}${isWritten(format)}`, pair);
  };
  const timed = (name: string, pair: BeforeAfter | undefined) =>
    pair && row(name, `${decimal(pair.before, 3)} ms`, `${decimal(pair.after, 3)} ms`, pair.after / pair.before);
  return html`${table(
    ["", "original", "reduced", "ratio"],
    [
      row(
        "numbers that a token is multiplied by",
        count(model.vocabSize * model.hiddenSize),
        count(model.vocabSize * kept),
        kept / model.hiddenSize,
      ),
      sized("bytes of the factored head (onnx)", size.head),
      wholeOf("onnx", size.model),
      size.safetensors && sized("bytes of the head as safetensors", size.safetensors.head),
      wholeOf("safetensors", size.safetensors?.model),
      timed("head, per token", milliseconds?.head),
      timed("whole decoding step, per token", milliseconds?.step),
    ],
  )}
<p class="note">The factored head (<code>--format onnx</code>) is V × k numbers, what picks or projects the k numbers, and a bias. As safetensors the head keeps its shape, so that any runtime loads it, and nothing is saved${
    size.safetensors
      ? ""
      : html`; this model has no place for the bias there, but in the kept columns (<code>--no-bias</code>)`
  }.
${model.tied ? "The input embedding of this model is the same matrix and stays whole, so that with a second matrix the model is larger than before; what can be saved is time." : ""}
${milliseconds && "Times are medians of single tokens, original and reduced in turn in one run."}</p>`;
}

function curveSection(curve: readonly CurvePoint[]): Html {
  const shown = [0.1, 0.3, 0.5, 0.7, 0.9].filter((share) => curve.some((point) => isAt(point, share)));
  const methods = [...new Set(curve.map(({ order, compensate }) => methodName(order, compensate)))];
  return html`<p>The same measures for other shares deleted, other orders of deletion and other ways of making up for it. The dotted line of the saliency is the paper’s: the deleted dimensions simply count as 0.</p>
<figure id="kl-figure"><div class="legend" id="curve-legend"></div>
<div class="chart" data-label="KL divergence between original and reduced output against the share of dimensions deleted"></div>
<figcaption><b>How far the output moves</b>, KL(original ‖ reduced) in nats on unseen text, against the share of dimensions deleted. The vertical scale is logarithmic. The ring is the reduction of this report.</figcaption></figure>
<div class="columns two">
<figure id="top1-figure"><div class="chart" data-label="Top-1 agreement against the share of dimensions deleted"></div>
<figcaption><b>How often the likeliest token stays the same</b>, in the contexts of unseen text.</figcaption></figure>
<figure id="perplexity-figure"><div class="chart" data-label="Perplexity against the share of dimensions deleted"></div>
<figcaption><b>Perplexity</b> of the unseen text’s own next tokens, on a logarithmic scale.</figcaption></figure>
</div>
<details><summary>The same as a table</summary>${table(
    ["deleted", ...shown.flatMap((share) => [`${percent(share, 0)}: KL`, "JS", "JS, 95%", "top-1"])],
    methods.map((method) => {
      const cells = shown.flatMap((share) => {
        const point = curve.find((one) => methodName(one.order, one.compensate) === method && isAt(one, share));
        if (point === undefined) return ["–", "–", "–", "–"];
        return [...[point.kl, point.js, point.jsPercentile95].map((value) => significant(value)), percent(point.top1)];
      });
      return html`<tr><th scope="row">${method}</th>${numbers(...cells)}</tr>\n`;
    }),
  )}</details>`;
}

/** Deleted dimensions are whole numbers, so that a share is met only nearly. */
function isAt({ fraction }: CurvePoint, share: number): boolean {
  return Math.abs(fraction - share) < 0.02;
}

function numbers(...cells: readonly string[]): Html {
  return html`${cells.map((cell) => html`<td class="number">${cell}</td>`)}`;
}

/** The first column names the rows, the others are numbers. */
function table(columns: readonly string[], rows: readonly (Html | undefined)[]): Html {
  const [first, ...others] = columns;
  return html`<div class="wide"><table><thead><tr><th scope="col">${first}</th>${others.map(
    (name) => html`<th scope="col" class="number">${name}</th>`,
  )}</tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

function encodingSection(): Html {
  return html`<p>The average probability of a token is written in its row of E as one linear code. Refitted on what is kept, it loses R² only as fast as the dimensions that carry it go.</p>
<figure id="encoding-figure"><div class="legend" id="encoding-legend"></div><div class="chart" data-label="R squared of the encoding refitted on the kept dimensions against the share deleted"></div>
<figcaption><b>R² of the encoding on what is kept</b>, by the order of deletion.</figcaption></figure>`;
}

function textsSection({ deleted, mauve, mauveOfOriginal, distinct, repetition, samples }: ReducedTexts): Html {
  const row = (name: string, { before, after }: { before: number | undefined; after: number | undefined }) =>
    html`<tr><th scope="row">${name}</th>${numbers(decimal(before ?? Number.NaN, 3), decimal(after ?? Number.NaN, 3))}</tr>`;
  const text = (prompt: string, written: string, who: string) =>
    html`<figure><pre><b>${visibleText(prompt, SAMPLE_CHARACTERS)}</b>${visibleText(written, SAMPLE_CHARACTERS)}</pre><figcaption>${who}</figcaption></figure>`;
  return html`<h3>${counted(deleted, "dimension")} deleted</h3>
${table(
  ["", "original", "reduced"],
  [
    ...distinct.map((pair, n) => row(`share of different ${["tokens", "pairs", "triples"][n]}`, pair)),
    row("share of repeated 4-grams", repetition),
  ],
)}
${mauve !== undefined && mauveOfOriginal !== undefined ? alike(mauve, mauveOfOriginal) : undefined}
${samples.map(
  ({ prompt, before, after }) =>
    html`<div class="columns two">${text(prompt, before, "original")}${text(prompt, after, "reduced")}</div>`,
)}`;
}

/** What MAUVE differs by between two draws of a hundred texts of one model. */
const MAUVE_CHANCE = 0.02;

/** MAUVE compares two sets of texts: it is no property of either, so each number is shown with both of its sets. */
function alike(mauve: number, mauveOfOriginal: number): Html {
  const verdict =
    mauve >= mauveOfOriginal - MAUVE_CHANCE
      ? "The reduced model’s texts are as like the original’s as the original’s own are to one another."
      : "The reduced model’s texts are less like the original’s than the original’s own are to one another.";
  return html`${table(
    ["sets of texts compared", "MAUVE"],
    [
      html`<tr><th scope="row">the original’s and the reduced model’s</th>${numbers(decimal(mauve, 3))}</tr>`,
      html`<tr><th scope="row">the original’s and the original’s, from other random numbers</th>${numbers(decimal(mauveOfOriginal, 3))}</tr>`,
    ],
  )}
<p class="note">MAUVE says how alike two sets of texts are as a whole, from 0 to 1. The second row is what chance alone leaves below 1. ${verdict}</p>`;
}

function madeSection(run: ReductionRun, { command, version, date }: Provenance): Html {
  const { model, corpus } = run;
  const files = (list: ReductionRun["corpus"]["fit"]) =>
    html`<ul>${list.slice(0, LISTED_FILES).map((file) => html`<li>${visibleText(file.name, PATH_CHARACTERS)}</li>`)}${
      list.length > LISTED_FILES ? html`<li>and ${count(list.length - LISTED_FILES)} more</li>` : undefined
    }</ul>`;
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
  ["context length", counted(corpus.contextLength, "token")],
])}
${facts("Run", [
  ["order", run.order],
  ["metric", run.metric],
  ["written as", run.format ?? "not written"],
  ["compensation", run.compensate],
  ["seed", String(run.seed)],
  ["threads", count(run.threads)],
  ["in all", duration(run.seconds)],
  ["version", version && visibleText(version)],
  ["date", date && visibleText(date)],
])}
</div>`;
}
