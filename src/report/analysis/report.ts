import type { Analysis } from "../../encoding/analysis.js";
import { type Html, html } from "../page/html.js";
import { pageFrame, section } from "../page/page-frame.js";
import { type Provenance, provenanceSection } from "../page/provenance-section.js";
import { shortName } from "../page/visible-text.js";
import { componentSection, fitSection, refitSection, saliencySection } from "./figure-sections.js";
import { headline } from "./headline.js";
import { pageData } from "./page-data.js";
import { pageScript } from "./page-script.generated.js";
import { theorySection } from "./theory-section.js";
import { tokenTables } from "./token-tables.js";
import { uncertaintySection } from "./uncertainty-section.js";

/**
 * The report of one analysis as a single HTML file that works offline: text and tables in the markup, figures drawn by
 * its script from data embedded beside it. The same analysis gives the same bytes.
 * @param analysis token texts and names in it are untrusted; they only ever become text
 * @param provenance what was asked, for the section on how the report was made
 */
export function renderAnalysisReport(analysis: Analysis, provenance: Provenance = {}): string {
  const tables = tokenTables(analysis);
  const content = html`${headline(analysis)}
${primer()}
<noscript><p><b>The figures need JavaScript.</b> The text and the tables do not.</p></noscript>
${section("fit", "How good is the readout?", html`${fitSection(analysis)}${uncertaintySection(analysis)}`)}
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
${section("made", "How this was made", provenanceSection(analysis, provenance))}`;
  return pageFrame({
    title: `Token-probability encoding of ${shortName(analysis.model.name)}`,
    sections: {
      fit: "Fit",
      misses: "Misses",
      likeliest: "Tokens",
      space: "Space",
      sparsity: "Dimensions",
      theory: "Theory",
      made: "Making of",
    },
    content,
    data: pageData(analysis),
    script: pageScript,
  });
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
