import type { Analysis } from "../../encoding/analysis.js";
import { type Html, html } from "../page/html.js";
import { lineKey } from "../page/line-key.js";
import { count, decimal, percent, significant } from "../page/numbers.js";

/** The places that the page's script draws its figures into, with the words around them. */

export function fitSection({ encoding }: Analysis): Html {
  return html`<div class="columns wide-left">
<figure id="fit-figure">
<div class="chart cloud" data-label="Scatter plot of fitted against true negative log mean probability of ${count(encoding.tokenIds.length)} tokens; R squared ${decimal(encoding.r2, 3)}"></div>
<figcaption><b>Fitted against true −log α, one point per token.</b> On the diagonal the readout is exact; a token 1 nat off it is wrong by a factor of e ≈ 2.7. Likely tokens are at the lower left,
rare ones at the upper right. The scale on top shows the probability itself. Colour deepens where points crowd. Above the diagonal a token is more probable than its embedding tells, below it less.</figcaption>
</figure>
<div class="side">
<div class="search" role="search">
<label for="token-search">Find a token</label>
<input id="token-search" type="search" placeholder="a word, part of one, or #id" autocomplete="off" autocapitalize="off" spellcheck="false" maxlength="60" aria-describedby="search-note">
<p class="note" id="search-note">Marks it here and in the map of the embedding below. ␣ stands for a space. Hover or tap a point to see its token; click to mark it.</p>
<p class="list-title" id="token-list-title"></p>
<ul class="token-list" id="token-list" aria-live="polite" aria-labelledby="token-list-title"></ul>
</div>
${missQuantiles(encoding)}
</div>
</div>`;
}

export function componentSection({ sparsity }: Analysis): Html {
  const [first = 0, second = 0] = sparsity.varianceShare;
  return html`<p>Principal components are the directions in which the rows of E differ most. If probability were not written along any of them, the colours below would be mixed like confetti.</p>
<div class="columns wide-left">
<figure id="component-figure">
<div class="controls" id="component-controls"></div>
<div class="legend" id="percentile-legend"></div>
<div class="chart cloud" data-label="Scatter plot of tokens on two principal components of the output embedding, coloured by the percentile of their mean probability"></div>
<figcaption><b>The output embedding on two principal components.</b> One point per token, coloured by the percentile of its mean probability α. The first two hold ${percent(first + second)} of the variance.</figcaption>
</figure>
<figure id="scree-figure">
<div class="chart" data-label="Bar chart of the share of variance of each principal component, falling"></div>
<figcaption><b>Share of the variance of E</b> held by each component (bars), and by it and all before it (line).</figcaption>
</figure>
</div>`;
}

export function saliencySection({ sparsity, model }: Analysis): Html {
  const { "50": half, "95": most } = sparsity.dimensionsFor;
  return html`<p>A dimension’s saliency is |A<sub>i</sub>| times the standard deviation of column i of E: how many nats of −log α it moves between typical tokens. Slopes alone would depend on each column’s units.
${count(half)} of ${count(model.hiddenSize)} dimensions hold half of the saliency and ${count(most)} hold 95%.</p>
<div class="columns wide-left">
<figure id="saliency-figure">
<div class="chart" data-label="Saliency of every hidden dimension, sorted from most to least salient"></div>
<figcaption><b>Saliencies, sorted.</b> Shades part the dimensions that hold the first 50, 80 and 95% of the total. Hover for a dimension’s number, slope and t value.</figcaption>
</figure>
<figure id="lorenz-figure">
<div class="chart" data-label="Lorenz curve of the saliencies; Gini coefficient ${decimal(sparsity.gini, 3)}"></div>
<figcaption><b>Lorenz curve.</b> Share of the saliency held by the least salient dimensions. The diagonal is equality; the Gini coefficient, ${decimal(sparsity.gini, 3)}, is twice the shaded area.</figcaption>
</figure>
</div>`;
}

export function refitSection({ sparsity }: Analysis): Html {
  return html`<h3>How few are enough?</h3>
<p>The encoding refitted on k dimensions alone: the k most salient, k drawn at random, or the first k principal components (each of which mixes all dimensions). The sooner a curve reaches the level of the full fit, the fewer numbers
probability needs.</p>
<figure id="refit-figure">
<div class="legend">${lineKey("var(--accent)", "k most salient dimensions")}${lineKey("var(--warm)", "first k principal components")}${lineKey("var(--neutral)", "k random dimensions: mean, lowest to highest")}</div>
<div class="chart" data-label="R squared of refits against the number of dimensions used"></div>
<figcaption><b>R² of refits on k dimensions.</b> The horizontal scale doubles with each step.</figcaption>
</figure>
<details><summary>The same as a table</summary>
<div class="wide"><table><thead><tr><th scope="col" class="number">k</th><th scope="col" class="number">most salient</th><th scope="col" class="number">principal components</th><th scope="col" class="number">random, mean</th><th scope="col" class="number">lowest</th><th scope="col" class="number">highest</th></tr></thead>
<tbody>${sparsity.refits.map(
    ({ k, topK, principalComponents, randomK }) => html`<tr><td class="number">${count(k)}</td>${[
      topK,
      principalComponents,
      randomK.mean,
      randomK.low,
      randomK.high,
    ].map((r2) => html`<td class="number">${decimal(r2, 3)}</td>`)}</tr>
`,
  )}</tbody></table></div></details>`;
}

/** How far off the fit is, as the factors that half, most and nearly all tokens stay within. */
function missQuantiles({ observed, fitted }: Analysis["encoding"]): Html {
  const misses = observed
    .map((value, i) => Math.abs(fitted[i]! - value))
    .filter(Number.isFinite)
    .sort();
  const factor = (share: number) =>
    Math.exp(misses[Math.min(misses.length - 1, Math.floor(share * misses.length))] ?? Number.NaN);
  return html`<div class="wide"><table class="quantiles"><caption><b>How far off</b> Factor between true and fitted probability.</caption>
<tbody>${[0.5, 0.9, 0.99].map(
    (share) =>
      html`<tr><td>${percent(share, 0)} of the tokens are within</td><td class="number">× ${decimal(factor(share), 2)}</td></tr>`,
  )}<tr><td>the worst is off by</td><td class="number">× ${significant(factor(1))}</td></tr></tbody></table></div>`;
}
