import type { TrimRun } from "../../trimming/trim-run.js";
import { html } from "../page/html.js";
import { count } from "../page/numbers.js";
import { pageFrame, section } from "../page/page-frame.js";
import type { Provenance } from "../page/provenance-section.js";
import { shortName } from "../page/visible-text.js";
import { trimHeadline } from "./trim-headline.js";
import { trimPageData } from "./trim-page-data.js";
import { pageScript } from "./trim-page-script.generated.js";
import { curveSection, gainedSection, kindsSection, lostSection, trimMadeSection } from "./trim-sections.js";

/**
 * The report of a trimming as a single HTML file that works offline. The same result gives the same bytes.
 * @param run texts and names in it are untrusted; they only ever become text
 */
export function renderTrimReport(run: TrimRun, provenance: Provenance = {}): string {
  const content = html`${trimHeadline(run)}
<section class="primer" aria-label="The idea">
<p><b>The idea.</b> The last matrix of the model, E, has a row for each of its ${count(run.vocabSize.before)} tokens, and so has the input embedding. Tokens that a text never needs can go, with their rows. What the others
have is then the original’s distribution, renormalised; words whose token went are spelt with more, shorter tokens.</p>
</section>
<noscript><p><b>The figure needs JavaScript.</b> The text and the tables do not.</p></noscript>
${section("lost", "What it costs", lostSection(run))}
${section("gained", "What it saves", gainedSection(run))}
${section("curve", "How many tokens are needed?", curveSection())}
${section("kinds", "What went", kindsSection(run))}
${section("made", "How this was made", trimMadeSection(run, provenance))}`;
  return pageFrame({
    title: `Trimming the vocabulary of ${shortName(run.model.name)}`,
    sections: { lost: "Cost", gained: "Saved", curve: "Curve", kinds: "What went", made: "Making of" },
    content,
    data: trimPageData(run),
    script: pageScript,
  });
}
