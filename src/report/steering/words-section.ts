import { isInContext } from "../../steering/plan/word-edits.js";
import type { WrittenEdit } from "../../steering/steering-run.js";
import type { MeasuredWord } from "../../steering/words/measure-words.js";
import { type Html, html } from "../page/html.js";
import { count, percent, probability, significant } from "../page/numbers.js";
import { tokenLabel } from "../page/token-label.js";
import { visibleText } from "../page/visible-text.js";

const shownWords = 50;
const wordCharacters = 60;

/** What edits do to words of several tokens, and to their pieces where the words are not. */
export function wordsSection({ plan, solution, words = [] }: WrittenEdit): Html {
  const measured = words.flatMap((word, g) => (word ? [{ word, g }] : []));
  const names = ["asked", "reached there", "word before", "word after", "factor", "piece elsewhere", "after", "change"];
  return html`<p>A word of several tokens is as likely as its pieces together: the product of their probabilities. One piece’s row is edited so that its logit moves in the contexts that end in the pieces before it, and in no other; a ban changes it in all. The words were put into
a text at places drawn at random and multiplied out, before and after.</p>
<div class="wide"><table class="edits">
<caption><b>Words</b> Mean probability of the whole word at those places, and of the edited piece in contexts of the text where the word is not begun.</caption>
<thead><tr><th scope="col">word</th><th scope="col">edited piece</th>${names.map((name) => html`<th scope="col" class="number">${name}</th>`)}<th scope="col">in the fitting text</th></tr></thead>
<tbody>${measured.slice(0, shownWords).map(({ word, g }) => {
    const { probability: p, uses, target } = solution.groups[g]!;
    const edit = plan.edits[g]!;
    const asked = "ban" in target ? "ban" : significant(p.wanted / p.before);
    const cells = [asked, isInContext(edit) ? significant(p.after / p.before) : "in all contexts", ...changeOf(word)];
    return html`<tr><th scope="row"><bdi>${visibleText(word.pieces.map(({ text }) => text).join(""), wordCharacters)}</bdi></th><td>${pieceOf(word)}</td>${cells.map(
      (cell) => html`<td class="number">${cell}</td>`,
    )}<td>${uses ? usesOf(uses) : "–"}</td></tr>`;
  })}</tbody>
</table></div>`;
}

const pieceOf = ({ pieces, piece }: MeasuredWord): Html =>
  html`${pieces.map(({ id, text }, i) => (i + 1 === piece ? html`<b>${tokenLabel(text, id)}</b> ` : html`<span>${visibleText(text, wordCharacters)}</span> `))}`;

function changeOf({ probability: whole, elsewhere }: MeasuredWord): string[] {
  const { before, after } = elsewhere.probability;
  return [
    ...[probability(whole.before), probability(whole.after), significant(whole.after / whole.before)],
    ...[probability(before), probability(after), percent(after / before - 1)],
  ];
}

function usesOf({ found, others }: NonNullable<WrittenEdit["solution"]["groups"][number]["uses"]>): Html {
  const list = others
    .map(({ text, count: times }) => `${visibleText(text, wordCharacters)} (${count(times)})`)
    .join(", ");
  return html`${count(found)} times${list === "" ? undefined : html`<small>its piece also in ${list}</small>`}`;
}
