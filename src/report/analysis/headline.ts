import type { Analysis } from "../../encoding/analysis.js";
import { type Html, html } from "../page/html.js";
import { count, counted, decimal, percent } from "../page/numbers.js";
import { tile } from "../page/tile.js";
import { shortName, visibleText } from "../page/visible-text.js";

/** A cross-validated R2 this much below the fit's own says that d is too near V for the fit to be trusted. */
const FLATTERED = 0.05;

/** The result in plain words, with the numbers behind it. */
export function headline(analysis: Analysis): Html {
  const { model, corpus, encoding, warnings } = analysis;
  return html`<header class="headline">
<p class="eyebrow">Token-probability encoding · ${shortName(model.name)}</p>
<h1>${warnings.length > 0 ? tooLittleText(corpus.contexts) : verdict(encoding.r2)}</h1>
<p class="lead">One linear function, <span class="formula">−log α<sub>w</sub> ≈ A · E<sub>w</sub> + B</span>, the same for every token, was fitted to
${count(encoding.tokenIds.length)} tokens of <b>${shortName(model.name)}</b> and their mean output probability over
${counted(corpus.contexts, "context")} of ${corpusWords(corpus.files)}. ${warnings.length > 0 ? undefined : generalisation(encoding)}
Its typical error is a factor of ${decimal(Math.exp(encoding.residualStandardError), 2)} in probability, either way.</p>
${warnings.length > 0 ? html`<ul class="note">${warnings.map((warning) => html`<li>Warning: ${warning}.</li>`)}</ul>` : undefined}
${tiles(analysis)}
</header>`;
}

function verdict(r2: number): string {
  const share = percent(r2, r2 >= 0.995 && r2 < 1 ? 1 : 0);
  if (r2 >= 0.85) {
    return `How likely a token is can be read off its output embedding: one linear function explains ${share} of the variance`;
  }
  if (r2 >= 0.5) return `One linear function of its output embedding explains ${share} of how likely each token is`;
  if (r2 >= 0.1) return `A linear function of the output embedding explains only ${share} of how likely each token is`;
  return "How likely a token is can hardly be read linearly from its output embedding here";
}

/** What stands in place of a verdict where there is none to give. */
function tooLittleText(contexts: number): string {
  return contexts === 1
    ? "One context cannot tell whether probability is written linearly in the output embedding"
    : `Too little text to tell how well probability can be read off the output embedding: ${counted(contexts, "context")}`;
}

function generalisation({ r2, crossValidatedR2 }: Analysis["encoding"]): string {
  if (!Number.isFinite(crossValidatedR2)) return "";
  const heldOut =
    crossValidatedR2 >= 0
      ? `it explains ${percent(crossValidatedR2)} of the variance`
      : "it does worse than a constant";
  return r2 - crossValidatedR2 > FLATTERED
    ? `On tokens that it was not fitted to, ${heldOut}: clearly less than the ${percent(r2)} on those it was, so trust the smaller number.`
    : `On tokens that it was not fitted to, ${heldOut}, nearly as much: it is no artefact of the many coefficients.`;
}

function corpusWords(files: Analysis["corpus"]["files"]): Html {
  const first = files[0];
  if (first === undefined) return html`the text`;
  const name = html`<b>${visibleText(first.name.replace(/^.*[/\\]/, ""), 60)}</b>`;
  return files.length === 1
    ? name
    : html`${name} and ${count(files.length - 1)} other ${files.length === 2 ? "file" : "files"}`;
}

function tiles({ encoding, uncertainty, sparsity, model }: Analysis): Html {
  const { r2Interval: interval } = uncertainty;
  const factor = Math.exp(encoding.residualStandardError);
  const { "80": eighty, "95": ninetyFive } = sparsity.dimensionsFor;
  return html`<dl class="tiles">
${tile("R²", decimal(encoding.r2, 3), `share of the variance of −log α that the fit explains; ${interval === undefined ? "how sure it is cannot be told from this text" : `95% interval over windows of text ${decimal(interval.low, 3)} to ${decimal(interval.high, 3)}`}`)}
${tile("R², cross-validated", decimal(encoding.crossValidatedR2, 3), "the same on tokens left out of the fit, ten folds")}
${tile("Spearman ρ", decimal(encoding.spearman, 3), "how well the fit ranks the tokens; 1 is perfect")}
${tile("typical error", `× ${decimal(factor, 2)}`, `exp of the residual standard error, ${decimal(encoding.residualStandardError, 3)} nats`)}
${tile("Gini", decimal(sparsity.gini, 3), "how unequally the dimensions share the work; 0 is equal, 1 is one alone")}
${tile("dimensions", `${count(eighty)} / ${count(ninetyFive)}`, `of ${count(model.hiddenSize)} hold 80 / 95% of the saliency`)}
</dl>`;
}
