import type { WrittenEdit } from "../../steering/steering-run.js";
import { type Html, html } from "../page/html.js";
import { count, percent, probability } from "../page/numbers.js";
import { visibleText } from "../page/visible-text.js";
import { editName } from "./steering-headline.js";

const shownEdits = 50;
const contextCharacters = 60;
/** Of an edit's worst contexts. */
const shownContexts = 2;

/** What edits do in contexts that no text holds: the largest probabilities, bounds of bans, and the worst contexts. */
export function probesSection({ plan, solution, probed }: WrittenEdit): Html {
  const contexts = probed[0]?.contexts ?? 0;
  return html`<p>A mean over a text hides single contexts. ${count(contexts)} contexts were made that no text holds: beginnings, or none at all, followed by tokens of the whole vocabulary, random tokens, and one token over and over. In each of them the tokens’ probability was computed exactly, before and after.</p>
<div class="wide"><table class="edits">
<caption><b>The worst case</b> Probability of all tokens of an edit together. The bound is for each of them: proven for every context, or measured in those that were tried.</caption>
<thead><tr><th scope="col">token</th>${["largest before", "largest after", "bound", "against the target"].map(
    (name) => html`<th scope="col" class="number">${name}</th>`,
  )}<th scope="col">worst after</th></tr></thead>
<tbody>${plan.edits.slice(0, shownEdits).map((edit, g) => {
    const { largest, opposite, worst } = probed[g]!;
    const bound = solution.groups[g]!.bound;
    const numbers = [
      probability(largest.before),
      probability(largest.after),
      bound ? `${probability(bound.probability)}${bound.proven ? "" : " (measured)"}` : "none",
      percent(opposite),
    ];
    return html`<tr><th scope="row">${editName(edit)}</th>${numbers.map((cell) => html`<td class="number">${cell}</td>`)}<td>${worst
      .slice(0, shownContexts)
      .map(
        ({ text, before, after }) =>
          html`<div><code>${visibleText(text, contextCharacters)}</code> <small>${probability(before)} → ${probability(after)}</small></div>`,
      )}</td></tr>`;
  })}</tbody>
</table></div>`;
}
