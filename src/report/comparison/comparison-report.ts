import type { Comparison } from "../../compare/comparison.js";
import { html } from "../page/html.js";
import { pageFrame, section } from "../page/page-frame.js";
import type { Provenance } from "../page/provenance-section.js";
import { shortName } from "../page/visible-text.js";
import { comparisonHeadline } from "./comparison-headline.js";
import { comparisonPageData } from "./comparison-page-data.js";
import { pageScript } from "./comparison-page-script.generated.js";
import { comparisonMadeSection, divergenceSection, moverSection, probabilitySection } from "./comparison-sections.js";
import { notableMovers } from "./notable-movers.js";

/** Tokens in each of the tables. */
const SHOWN_MOVERS = 12;

/**
 * The report of a comparison of two models as a single HTML file that works offline. The same comparison gives the same
 * bytes.
 * @param comparison token texts and names in it are untrusted; they only ever become text
 */
export function renderComparisonReport(comparison: Comparison, provenance: Provenance = {}): string {
  const movers = notableMovers(comparison, SHOWN_MOVERS);
  const [first] = [movers.likelier[0], movers.rarer[0]]
    .filter((mover) => mover !== undefined)
    .sort((x, y) => Math.abs(Math.log(y.scale)) - Math.abs(Math.log(x.scale)));
  const content = html`${comparisonHeadline(comparison, first)}
<noscript><p><b>The figures need JavaScript.</b> The text and the tables do not.</p></noscript>
${section("apart", "How far apart are they?", divergenceSection(comparison))}
${section("tokens", "Which tokens do they use more, or less?", probabilitySection(comparison))}
${section("movers", "The tokens that moved most", moverSection(movers))}
${section("made", "How this was made", comparisonMadeSection(comparison, provenance))}`;
  return pageFrame({
    title: `${shortName(comparison.models.a.name)} and ${shortName(comparison.models.b.name)} compared`,
    sections: { apart: "Divergence", tokens: "Tokens", movers: "Movers", made: "Making of" },
    content,
    data: comparisonPageData(comparison),
    script: pageScript,
  });
}
