import type { BeforeAfter } from "../../measures/before-after.js";
import type { CurvePoint, GreedyCost, ReductionMeasures, ReductionRun } from "../../reduction/reduction-run.js";
import { type Html, html } from "../page/html.js";
import { bytes, count, decimal, percent, significant } from "../page/numbers.js";
import { visibleText } from "../page/visible-text.js";
import { numbers, table } from "./number-table.js";
import { curveName } from "./reduction-page-data.js";

/** How far the output moves, on the text that was fitted to and on unseen text. */
export function lostSection({ measures, budget, warnings }: ReductionRun): Html {
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

/** Numbers, bytes and time that are saved. */
export function gainedSection(run: ReductionRun): Html {
  const { bytes: size, milliseconds, model, multiplications, rescore, greedyExact } = run;
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
        count(multiplications.before),
        count(multiplications.after),
        multiplications.after / multiplications.before,
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
${greedyExact && rescore !== undefined ? ofGreedy(greedyExact, rescore) : ""}
${milliseconds && "Times are medians of single tokens, original and reduced in turn in one run."}</p>`;
}

/** What it takes that the likeliest token is always the original's. */
function ofGreedy({ fallback, rows }: GreedyCost, rescore: number): string {
  return `A bound says which tokens could be the likeliest: ${decimal(rows, 0)} rows of E a token in the mean of the unseen text, and all of E in the ${percent(fallback)} of its contexts where more than ${count(rescore)} tokens could be. The multiplications count both.`;
}

/** The measures against what is still multiplied, of every method. @param multiplications V d */
export function curveSection(curve: readonly CurvePoint[], multiplications: number): Html {
  const shown = [0.1, 0.3, 0.5, 0.7, 0.9].filter((share) => curve.some((point) => isAt(point, share)));
  const methods = [...new Set(curve.map(curveName))];
  return html`<p>The same measures for other shares deleted, other orders of deletion, other ways of making up for it, and with two stages. The dotted line of the saliency is the paper’s: the deleted dimensions simply count as 0.</p>
<figure id="kl-figure"><div class="legend" id="curve-legend"></div>
<div class="chart" data-label="KL divergence between original and reduced output against the multiplications of the head"></div>
<figcaption><b>How far the output moves</b>, KL(original ‖ reduced) in nats on unseen text, against what the head still multiplies for a token, of what the original’s does: kept dimensions and rows that are rescored on one scale, less work to the right. At the top is the share of dimensions that is deleted
where one stage multiplies as much. The vertical scale is logarithmic. The ring is the reduction of this report.</figcaption></figure>
<div class="columns two">
<figure id="top1-figure"><div class="chart" data-label="Top-1 agreement against the multiplications of the head"></div>
<figcaption><b>How often the likeliest token stays the same</b>, in the contexts of unseen text.</figcaption></figure>
<figure id="perplexity-figure"><div class="chart" data-label="Perplexity against the multiplications of the head"></div>
<figcaption><b>Perplexity</b> of the unseen text’s own next tokens, on a logarithmic scale.</figcaption></figure>
</div>
<details><summary>The same as a table</summary>${table(
    ["deleted", ...shown.flatMap((share) => [`${percent(share, 0)}: multiplications`, "KL", "JS", "JS, 95%", "top-1"])],
    methods.map((method) => {
      const cells = shown.flatMap((share) => {
        const point = curve.find((one) => curveName(one) === method && isAt(one, share));
        if (point === undefined) return ["–", "–", "–", "–", "–"];
        const work = percent(point.multiplications / multiplications, 1);
        return [
          work,
          ...[point.kl, point.js, point.jsPercentile95].map((value) => significant(value)),
          percent(point.top1),
        ];
      });
      return html`<tr><th scope="row">${method}</th>${numbers(...cells)}</tr>\n`;
    }),
  )}</details>`;
}

/** Deleted dimensions are whole numbers, so that a share is met only nearly. */
function isAt({ fraction }: CurvePoint, share: number): boolean {
  return Math.abs(fraction - share) < 0.02;
}

/** The place of the figure of R2 on what is kept. */
export function encodingSection(): Html {
  return html`<p>The average probability of a token is written in its row of E as one linear code. Refitted on what is kept, it loses R² only as fast as the dimensions that carry it go.</p>
<figure id="encoding-figure"><div class="legend" id="encoding-legend"></div><div class="chart" data-label="R squared of the encoding refitted on the kept dimensions against the share deleted"></div>
<figcaption><b>R² of the encoding on what is kept</b>, by the order of deletion.</figcaption></figure>`;
}
