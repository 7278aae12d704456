import { isInContext } from "../../steering/plan/word-edits.js";
import type { ProbedEdit } from "../../steering/probes/probe-edits.js";
import type { WrittenEdit } from "../../steering/steering-run.js";
import { type Html, html } from "../page/html.js";
import { count, percent, probability } from "../page/numbers.js";
import { visibleText } from "../page/visible-text.js";
import { figureContexts, figureEdits } from "./probed-points.js";
import { editName } from "./steering-headline.js";

const shownEdits = 50;
const contextCharacters = 60;
/** Of an edit's worst contexts, before the rest is folded away. */
const openContexts = 2;

/** What edits do in contexts that no text holds: the largest probabilities, bounds of bans, and the worst contexts. */
export function probesSection({ plan, solution, probed }: WrittenEdit): Html {
  const contexts = probed[0]?.contexts ?? 0;
  const someInFew = plan.edits.some(isInContext);
  const isPart = contexts > figureContexts;
  const names = ["largest before", "largest after", "bound", "against the target"];
  return html`<div class="columns two">
<div><p>A mean over a text hides single contexts. ${count(contexts)} contexts were made that no text holds: beginnings, or none at all, followed by tokens of the whole vocabulary, random tokens, and one token over and over. In each of them the tokens’ probability was computed exactly, before and after.</p>
<p>An edit is unsafe where it makes tokens that are to be rarer likelier than 1% and than they were, or ten times as likely as they were and above 10⁻⁴, of what they gain by their own rows and not because other edits take from their tokens${someInFew ? "; of a word’s piece, where the word is not, twice as likely as it was and likelier than 1%, or ten times and above 10⁻⁴" : ""}.</p></div>
<figure id="probes-figure"><div class="controls" id="probes-controls"></div>
<div class="chart" data-label="Probability of an edit’s tokens after it against before, in contexts that no text holds, on logarithmic scales"></div>
<figcaption><b>Before against after, in ${isPart ? `${count(figureContexts)} of the ${count(contexts)}` : `all ${count(contexts)}`} contexts.</b> On the grey line nothing changed; the dotted line is a true logit bias${someInFew ? " (of a word’s piece there is none: it is to stay as it is in most contexts)" : ""}; above the orange line an edit is unsafe (a ban beyond its bound) unless other edits of the plan put it there. Rings are the five worst contexts.${
    isPart
      ? " The likeliest before and after and those that rose and fell most are all shown, of the others an even sample."
      : ""
  }${plan.edits.length > figureEdits ? ` The first ${count(figureEdits)} edits.` : ""}</figcaption></figure>
</div>
<div class="wide edits-table"><table class="edits cards">
<caption><b>The worst case</b> Probability of all tokens of an edit together. The bound is for each of them: proven for every context, or measured in those that were tried. Against the target are contexts in which it moved the other way by more than 10⁻⁴.</caption>
<thead><tr><th scope="col">token</th>${names.map(
    (name) => html`<th scope="col" class="number">${name}</th>`,
  )}<th scope="col">worst after</th></tr></thead>
<tbody>${plan.edits.slice(0, shownEdits).map((edit, g) => {
    const { largest, opposite, worst } = probed[g]!;
    const bound = solution.groups[g]!.bound;
    const numbers = [
      probability(largest.before),
      probability(largest.after),
      bound ? `${probability(bound.probability)}${bound.proven ? "" : " (measured)"}` : "none",
      opposite === 0 ? "nowhere" : `${percent(opposite)} of contexts`,
    ];
    return html`<tr><td>${editName(edit)}</td>${numbers.map((cell, i) => html`<td class="number" data-name="${names[i]}">${cell}</td>`)}<td>${worstContexts(worst)}</td></tr>
`;
  })}</tbody>
</table></div>`;
}

function worstContexts(worst: ProbedEdit["worst"]): Html {
  const lines = worst.map(
    ({ text, before, after }) =>
      html`<div><code>${visibleText(text, contextCharacters)}</code> <small>${probability(before)} → ${probability(after)}</small></div>`,
  );
  const more = lines.slice(openContexts);
  return html`${lines.slice(0, openContexts)}${more.length > 0 ? html`<details><summary>${count(more.length)} more</summary>${more}</details>` : undefined}`;
}
