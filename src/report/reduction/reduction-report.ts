import type { ReductionRun } from "../../reduction/reduction-run.js";
import { type Html, html } from "../page/html.js";
import { count, counted, duration } from "../page/numbers.js";
import { pageFrame, section } from "../page/page-frame.js";
import { beginText, facts, fileList, madeBy, type Provenance } from "../page/provenance-section.js";
import { shortName, visibleText } from "../page/visible-text.js";
import { reductionHeadline } from "./reduction-headline.js";
import type { ReductionPageData } from "./reduction-page-data.js";
import { pageScript } from "./reduction-page-script.generated.js";
import { curveSection, encodingSection, gainedSection, lostSection } from "./reduction-sections.js";
import { textsSection } from "./reduction-texts.js";

const PATH_CHARACTERS = 200;

/**
 * The report of a reduction as a single HTML file that works offline. The same result gives the same bytes.
 * @param run texts and names in it are untrusted; they only ever become text
 */
export function renderReductionReport(run: ReductionRun, provenance: Provenance = {}): string {
  const { curve, encoding, generated } = run;
  const content = html`${reductionHeadline(run)}
<section class="primer" aria-label="The idea">
<p><b>The idea.</b> The last matrix of the model, E, turns d = ${count(run.model.hiddenSize)} numbers into ${count(run.model.vocabSize)} logits. Not all of the d numbers matter for the output. Those that do not can be deleted; what they added on
average, and what the others can tell of them, can be made up for. Everything below was measured on text that the reduction was not fitted to, against the original model in the same contexts.</p>
</section>
<noscript><p><b>The figures need JavaScript.</b> The text and the tables do not.</p></noscript>
${section("lost", "What was lost", lostSection(run))}
${section("gained", "What was gained", gainedSection(run))}
${curve && section("curve", "How much can go?", curveSection(curve, run.multiplications.before))}
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
    multiplications: run.multiplications.before,
    chosen: {
      multiplications: run.multiplications.after,
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

function madeSection(run: ReductionRun, provenance: Provenance): Html {
  const { version, date } = provenance;
  const { model, corpus } = run;
  return html`${madeBy(provenance)}
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
  ["fitted on", fileList(corpus.fit)],
  ["unseen", fileList(corpus.check)],
  ["contexts", `${count(corpus.contexts.fit)} fitted, ${count(corpus.contexts.check)} unseen`],
  ["context length", counted(corpus.contextLength, "token")],
  ["begin-of-text", beginText(corpus.beginOfText)],
])}
${facts("Run", [
  ["order", run.order],
  ["metric", run.metric],
  ["written as", run.format ?? "not written"],
  ["compensation", run.compensate],
  ["rescored", run.rescore === undefined ? undefined : counted(run.rescore, "token")],
  ["likeliest token", run.greedyExact && "always the original’s, by a bound"],
  ["seed", String(run.seed)],
  ["threads", count(run.threads)],
  ["in all", duration(run.seconds)],
  ["version", version && visibleText(version)],
  ["date", date && visibleText(date)],
])}
</div>`;
}
