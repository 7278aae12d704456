import type { Analysis } from "../encoding/analysis.js";
import { componentSection, fitSection, refitSection, saliencySection } from "./figure-sections.js";
import { headline, shortName } from "./headline.js";
import { type Html, html, trustedHtml } from "./html.js";
import { embeddedJson, pageData } from "./page-data.js";
import { pageScript } from "./page-script.generated.js";
import { type Provenance, provenanceSection } from "./provenance-section.js";
import { style } from "./style.js";
import { theorySection } from "./theory-section.js";
import { tokenTables } from "./token-tables.js";

/** Whatever a page might hold, it loads nothing: no script, image, font or request but what is inside it. */
const CONTENT_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:";

/**
 * The report of one analysis as a single HTML file that works offline: text and tables in the markup, figures drawn by
 * its script from data embedded beside it. The same analysis gives the same bytes.
 * @param analysis token texts and names in it are untrusted; they only ever become text
 * @param provenance what was asked, for the section on how the report was made
 */
export function renderReport(analysis: Analysis, provenance: Provenance = {}): string {
  const tables = tokenTables(analysis);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${CONTENT_POLICY}">
<meta name="generator" content="unembed">
<title>Token-probability encoding of ${shortName(analysis.model.name)}</title>
<link rel="icon" href="data:,">
<style>${trustedHtml(style)}</style>
</head>
<body>
<div class="page">
${navigation()}
<main>
${headline(analysis)}
${primer()}
<noscript><p><b>The figures need JavaScript.</b> The text and the tables do not.</p></noscript>
${section("fit", "How good is the readout?", fitSection(analysis))}
${section("misses", "Where it misses, and where it doesn’t", tables.misses)}
${section(
  "likeliest",
  "The tokens that matter most",
  html`<p>A model that has learned its text well gives each token, on average, the share of the text that the token has. Where the two bars
differ, the model is off; where the fitted value differs from both, the linear readout is.</p>${tables.likeliest}`,
)}
${section("space", "The shape of the embedding", componentSection(analysis))}
${section("sparsity", "How many dimensions carry it?", html`${saliencySection(analysis)}${refitSection(analysis)}`)}
${section("theory", "What theory predicts", theorySection(analysis))}
${section("made", "How this was made", provenanceSection(analysis, provenance))}
</main>
<footer>Method: Cho, Sakai, Tanaka, Kato and Inoue, <i>Understanding Token Probability Encoding in Output Embeddings</i>, COLING 2025,
<a href="https://arxiv.org/abs/2406.01468" rel="noreferrer">arXiv 2406.01468</a>. This page is complete in itself and loads nothing from the network.</footer>
</div>
<script type="application/json" id="data">${trustedHtml(embeddedJson(pageData(analysis)))}</script>
<script>${trustedHtml(pageScript)}</script>
</body>
</html>
`;
  return page.markup;
}

function navigation(): Html {
  const entries = {
    fit: "Fit",
    misses: "Misses",
    likeliest: "Tokens",
    space: "Space",
    sparsity: "Dimensions",
    theory: "Theory",
    made: "Making of",
  };
  return html`<div class="top"><nav aria-label="Sections">${Object.entries(entries).map(
    ([id, name]) => html`<a href="#${id}">${name}</a>`,
  )}</nav><button type="button" id="theme" hidden>Dark</button></div>`;
}

function section(id: string, title: string, content: Html): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>
${content}
</section>
`;
}

function primer(): Html {
  return html`<section class="primer" aria-label="The idea">
<p><b>The idea.</b> At every position t of a text the model turns its hidden state <span class="formula">h<sub>t</sub></span> into one logit per token by a dot product with that token’s row of the
output embedding, <span class="formula">E<sub>w</sub> · h<sub>t</sub></span>; softmax makes them probabilities. Average a token’s probability over a whole text and you have
<span class="formula">α<sub>w</sub></span>: how much the model uses that token there at all.</p>
<p>Nothing in this asks for a simple rule from <span class="formula">E<sub>w</sub></span> to <span class="formula">α<sub>w</sub></span>. Yet Cho et al. found one: a single vector <span class="formula">A</span> (one slope per hidden dimension) and a number
<span class="formula">B</span> give <span class="formula">−log α<sub>w</sub></span> for all tokens at once. This page shows how well that holds for this model and text, which tokens break it, and which dimensions carry it.</p>
</section>`;
}
