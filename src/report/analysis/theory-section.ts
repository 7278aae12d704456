import type { Analysis, BuiltInPrior } from "../../encoding/analysis.js";
import { type Html, html } from "../page/html.js";
import { count, decimal, percent, significant } from "../page/numbers.js";

/** Why the encoding holds: predictions made without fitting beside the fit, and the two conditions, measured. */
export function theorySection({ theory, encoding, concentration, model, warnings }: Analysis): Html {
  return html`<div class="columns two wide-left">
<div>
<div class="wide"><table class="theory">
<caption><b>Predicted and fitted</b> Share of the variance of −log α that each explains.</caption>
<thead><tr><th scope="col">reading of −log α<sub>w</sub></th><th scope="col" class="bars"><span class="hidden">bar</span></th><th scope="col" class="number">R²</th><th scope="col" class="number">cosine<br>with A</th></tr></thead>
<tbody>
${prediction("Fitted", html`A · E<sub>w</sub> + B`, "least squares on all tokens", encoding.r2, "1")}
${prediction("Fitted, held out", html`A · E<sub>w</sub> + B`, "each token predicted from the other nine folds", encoding.crossValidatedR2, "")}
${prediction(
  "Second order",
  html`−E<sub>w</sub> · h̄ + L̄ − ½ Var(E<sub>w</sub> · h<sub>t</sub> − L<sub>t</sub>)`,
  "no fitting: mean-field less half the variance over contexts",
  theory.secondOrder.r2,
  "",
)}
${prediction(
  "Mean field",
  html`−E<sub>w</sub> · h̄ + L̄`,
  "no fitting: the mean of −log p over contexts",
  theory.meanField.r2,
  decimal(theory.meanField.cosine, 3),
)}
${theory.prior ? priorRow(theory.prior) : ""}
</tbody></table></div>
<p class="note">h̄ is the mean hidden state, L̄ the mean log-normaliser (${decimal(theory.meanField.intercept, 2)} nats; the fitted B is
${decimal(encoding.intercept, 2)}).</p>
</div>
<div class="prose">
${
  warnings.length > 0
    ? html`<p><b>Too little text.</b> Of a single context all three are exact, whatever the model, and of few they are still near that: how the predictions compare
says nothing here about the model.</p>`
    : html`<p><b>Second order</b> ${secondOrderReading(theory.secondOrder.r2, encoding.r2)}</p>
<p><b>Mean field</b> ${meanFieldReading(theory.meanField.r2, theory.secondOrder.r2)}</p>`
}
<p><b>The cosine</b> compares the fitted A with −h̄, the slope that mean field predicts. It can be small even where both predict well: along a direction in which
the rows of E hardly differ, A can be anything without costing the fit accuracy.</p>
<p><b>The built-in prior</b> ${priorReading(theory.prior)}</p>
</div>
</div>
<h3>Is this model in the regime?</h3>
<p>The encoding is derived for heads with <b>many outputs</b> whose <b>logits are concentrated</b>. Then the log-normaliser hardly depends on any one token, and the
logarithm of the mean probability stays close to linear in E<sub>w</sub>.</p>
${conditions(concentration, model)}`;
}

function prediction(name: string, formula: Html, note: string, r2: number, cosine: string): Html {
  const width = Math.max(0, Math.min(1, r2)) || 0;
  return html`<tr><th scope="row">${name} <span class="formula">${formula}</span><small>${note}</small></th>
<td class="bars" aria-hidden="true"><span class="bar filled" style="width:${(100 * width).toFixed(1)}%"></span></td>
<td class="number">${decimal(r2, 3)}</td><td class="number">${cosine}</td></tr>
`;
}

function priorRow({ r2, cosine }: BuiltInPrior): Html {
  const note = "two coefficients: what the biases say of a token in every context";
  return prediction(
    "Built-in prior",
    html`b<sub>w</sub> + E<sub>w</sub> · β`,
    note,
    r2,
    cosine === undefined ? "" : decimal(cosine, 3),
  );
}

function priorReading(prior: BuiltInPrior | undefined): string {
  if (prior === undefined) return "is none: neither the head nor the last norm of this model has a bias.";
  const { r2, spearman, restR2, shareOfMean } = prior;
  const alone = `is what the biases say before any context: it explains ${percent(r2, 0)} alone (Spearman ${decimal(spearman, 3)}).`;
  if (restR2 === undefined || shareOfMean === undefined) return alone;
  return `${alone} Without it, R² of what is left is ${decimal(restR2, 3)}; β, the last norm’s bias, is ${percent(shareOfMean, 0)} of the mean hidden state along it.`;
}

function secondOrderReading(second: number, fitted: number): string {
  if (!Number.isFinite(second)) return "could not be computed.";
  if (second < 0)
    return "is worse than predicting one value for every token: the probabilities vary too much over contexts for two moments to describe.";
  const share = second / fitted;
  if (share > 0.8)
    return `reaches ${percent(second, 0)} without a single fitted coefficient: the mean and the variance of the logits over contexts already account for most of α.`;
  return `reaches ${percent(second, 0)} without a fitted coefficient; what is missing lies in higher moments of the logits, where rare contexts make a token likely.`;
}

function meanFieldReading(meanField: number, second: number): string {
  if (!Number.isFinite(meanField)) return "could not be computed.";
  if (meanField < 0) {
    const reason =
      "is below zero: worse than predicting one value for every token. Averaging −log p instead of p makes each token look rarer than it is, most of all one that earns its mean in the few contexts that call for it.";
    return second > meanField ? `${reason} The variance term makes up for it.` : reason;
  }
  return `explains ${percent(meanField, 0)}: that much follows from the average hidden state and log-normaliser alone.`;
}

function conditions(concentration: Analysis["concentration"], model: Analysis["model"]): Html {
  const { entropy, logitStandardDeviation, topMass } = concentration;
  const tokens = model.vocabSize - model.paddingRows;
  return html`<div class="conditions">
${condition(
  "V, outputs",
  count(tokens),
  html`More is better: with thousands of outputs no single token moves the normaliser. V / d is ${decimal(tokens / model.hiddenSize, 1)}, so the fit has ${
    tokens / model.hiddenSize >= 10 ? "plenty of" : "few"
  } tokens per coefficient.`,
)}
${condition("spread of the logits", decimal(logitStandardDeviation, 2), html`Standard deviation of a context’s logits over the vocabulary in nats, mean over contexts: tokens typically lie within a factor of ${significant(Math.exp(logitStandardDeviation))} of the middle. Smaller is better.`)}
${condition("entropy", `${decimal(entropy, 2)} nats`, html`As if the model chose among ${significant(Math.exp(entropy))} equally likely tokens each time. The maximum, ln V, is ${decimal(Math.log(tokens), 2)}; nearer to it is better.`)}
${condition("mass of the top 1 / 10 / 100", `${percent(topMass[1], 0)} / ${percent(topMass[10], 0)} / ${percent(topMass[100], 0)}`, html`Probability held by each context’s likeliest tokens. The more the few hold, the further from linear the tokens that are ever among them.`)}
</div>
${massBar(topMass)}`;
}

function condition(name: string, value: string, note: Html): Html {
  return html`<div><h4>${name}</h4><p class="value">${value}</p><p>${note}</p></div>
`;
}

function massBar(topMass: Analysis["concentration"]["topMass"]): Html {
  const parts: [string, number][] = [
    ["likeliest", topMass[1]],
    ["next 9", topMass[10] - topMass[1]],
    ["next 90", topMass[100] - topMass[10]],
    ["all others", 1 - topMass[100]],
  ];
  return html`<figure class="mass"><div class="mass-bar" role="img" aria-label="${parts.map(([name, share]) => `${name}: ${percent(share, 0)}`).join(", ")}">${parts.map(
    ([, share], i) =>
      html`<span class="mass-${i}" style="width:${(100 * Math.max(0, share) || 0).toFixed(2)}%"></span>`,
  )}</div>
<figcaption>How an average context shares out its probability: ${parts.map(
    ([name, share], i) =>
      html`<span class="key"><span class="swatch mass-${i}"></span>${name} ${percent(share, 0)}</span> `,
  )}</figcaption></figure>`;
}
