import type { SteeringRun } from "../../steering/steering-run.js";
import { type Html, html } from "../page/html.js";
import { pageFrame, section } from "../page/page-frame.js";
import type { Provenance } from "../page/provenance-section.js";
import { shortName } from "../page/visible-text.js";
import { experimentsHeadline } from "./experiments-headline.js";
import { probesSection } from "./probes-section.js";
import { experimentParts, type PageSection } from "./steering-experiments.js";
import { steeringHeadline } from "./steering-headline.js";
import { steeringPageData } from "./steering-page-data.js";
import { pageScript } from "./steering-page-script.generated.js";
import { collateralSection, editSection, generatedSection, steeringMadeSection } from "./steering-sections.js";
import { wordsSection } from "./words-section.js";

/**
 * The report of a steering run as a single HTML file that works offline. The same run gives the same bytes.
 * @param run token texts, names and generated texts in it are untrusted; they only ever become text
 */
export function renderSteeringReport(run: SteeringRun, provenance: Provenance = {}): string {
  const { edit, generated, experiments } = run;
  const parts: PageSection[] = [];
  if (edit) {
    parts.push(
      { id: "edits", name: "Edits", title: "Did the tokens get what was asked?", content: editSection(edit) },
      { id: "probes", name: "Worst case", title: "Where no text is", content: probesSection(edit) },
      { id: "cost", name: "Cost", title: "What else changed", content: collateralSection(edit) },
    );
  }
  if (edit?.words?.some((word) => word !== undefined)) {
    parts.push({ id: "words", name: "Words", title: "Words of several tokens", content: wordsSection(edit) });
  }
  if (edit && generated) {
    parts.push({ id: "texts", name: "Texts", title: "In generated text", content: generatedSection(edit, generated) });
  }
  if (experiments) parts.push(...experimentParts(experiments));
  parts.push({
    id: "made",
    name: "Making of",
    title: "How this was made",
    content: steeringMadeSection(run, provenance),
  });
  const content = html`${edit ? steeringHeadline(run, edit) : experiments && experimentsHeadline(run, experiments)}
${primer()}
<noscript><p><b>The figures need JavaScript.</b> The text and the tables do not.</p></noscript>
${parts.map(({ id, title, content }) => section(id, title, content))}`;
  return pageFrame({
    title: `Steering ${shortName(run.model.name)}`,
    sections: Object.fromEntries(parts.map(({ id, name }) => [id, name])),
    content,
    data: steeringPageData(run),
    script: pageScript,
  });
}

function primer(): Html {
  return html`<section class="primer" aria-label="The idea">
<p><b>The idea.</b> A token’s probability in a context is decided by its row of the output embedding, <span class="formula">E<sub>w</sub> · h<sub>t</sub></span>. Change that row,
<span class="formula">E<sub>w</sub>′ = E<sub>w</sub> + x</span>, and the token is rarer or likelier wherever the weights go, without a logit bias at run time. In each context the whole effect is one number, the token’s own probability;
all others keep their proportions. The ideal is the logit bias that gives the wanted <b>mean probability α</b>; the edit is the row that comes nearest to it, with its length then solved so that α is exactly as asked on the fitting text.</p>
</section>`;
}
