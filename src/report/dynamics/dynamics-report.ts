import type { Dynamics } from "../../dynamics/dynamics.js";
import { html } from "../page/html.js";
import { pageFrame, section } from "../page/page-frame.js";
import type { Provenance } from "../page/provenance-section.js";
import { shortName } from "../page/visible-text.js";
import { dynamicsHeadline } from "./dynamics-headline.js";
import { dynamicsPageData } from "./dynamics-page-data.js";
import { pageScript } from "./dynamics-page-script.generated.js";
import {
  checkpointTable,
  conditionSection,
  fitSection,
  learntSection,
  madeSection,
  movementSection,
  slopeSection,
  trajectorySection,
} from "./dynamics-sections.js";

/**
 * The report of a training run's dynamics as a single HTML file that works offline. The same result gives the same bytes.
 * @param run token texts and names in it are untrusted; they only ever become text
 */
export function renderDynamicsReport(run: Dynamics, provenance: Provenance = {}): string {
  const content = html`${dynamicsHeadline(run)}
<section class="primer" aria-label="The idea">
<p><b>The idea.</b> Take a checkpoint’s output embedding E, one row per token, and ask how well a single linear function of a token’s row tells how often the token occurs in the training text:
<span class="formula">−log f<sub>w</sub> ≈ A · E<sub>w</sub> + B</span>. Do it at every checkpoint. Cho et al. found that the answer is yes very early: frequency is written into the output embedding long before the parameters have settled.</p>
</section>
<noscript><p><b>The figures need JavaScript.</b> The text and the tables do not.</p></noscript>
${section("when", "When does frequency enter?", trajectorySection(run))}
${section("fit", "Fitted against true, step by step", fitSection(run))}
${run.convergence === undefined ? undefined : section("rest", "How far was the rest of the model?", movementSection(run.convergence))}
${section("learnt", "Learnt early, learnt late", learntSection(run))}
${section("slopes", "Which dimensions carry it", slopeSection(run))}
${section("shape", "What happens to the embedding", conditionSection())}
${section("numbers", "The numbers", checkpointTable(run))}
${section("made", "How this was made", madeSection(run, provenance))}`;
  const sections = {
    when: "When",
    fit: "Fit",
    ...(run.convergence === undefined ? {} : { rest: "Parameters" }),
    learnt: "Tokens",
    slopes: "Dimensions",
    shape: "Embedding",
    numbers: "Numbers",
    made: "Making of",
  };
  return pageFrame({
    title: `Training dynamics of ${shortName(run.model.name)}`,
    sections,
    content,
    data: dynamicsPageData(run),
    script: pageScript,
  });
}
