import type { ReducedTexts } from "../../reduction/reduction-run.js";
import { type Html, html } from "../page/html.js";
import { counted, decimal } from "../page/numbers.js";
import { visibleText } from "../page/visible-text.js";
import { numbers, table } from "./number-table.js";

const SAMPLE_CHARACTERS = 2000;

/** What the original and a reduced head write after the same beginnings. */
export function textsSection({ deleted, mauve, mauveOfOriginal, distinct, repetition, samples }: ReducedTexts): Html {
  const row = (name: string, { before, after }: { before: number | undefined; after: number | undefined }) =>
    html`<tr><th scope="row">${name}</th>${numbers(decimal(before ?? Number.NaN, 3), decimal(after ?? Number.NaN, 3))}</tr>`;
  const text = (prompt: string, written: string, who: string) =>
    html`<figure><pre><b>${visibleText(prompt, SAMPLE_CHARACTERS)}</b>${visibleText(written, SAMPLE_CHARACTERS)}</pre><figcaption>${who}</figcaption></figure>`;
  return html`<h3>${counted(deleted, "dimension")} deleted</h3>
${table(
  ["", "original", "reduced"],
  [
    ...distinct.map((pair, n) => row(`share of different ${["tokens", "pairs", "triples"][n]}`, pair)),
    row("share of repeated 4-grams", repetition),
  ],
)}
${mauve !== undefined && mauveOfOriginal !== undefined ? alike(mauve, mauveOfOriginal) : undefined}
${samples.map(
  ({ prompt, before, after }) =>
    html`<div class="columns two">${text(prompt, before, "original")}${text(prompt, after, "reduced")}</div>`,
)}`;
}

/** What MAUVE differs by between two draws of a hundred texts of one model. */
const MAUVE_CHANCE = 0.02;

/** MAUVE compares two sets of texts: it is no property of either, so each number is shown with both of its sets. */
function alike(mauve: number, mauveOfOriginal: number): Html {
  const verdict =
    mauve >= mauveOfOriginal - MAUVE_CHANCE
      ? "The reduced model’s texts are as like the original’s as the original’s own are to one another."
      : "The reduced model’s texts are less like the original’s than the original’s own are to one another.";
  return html`${table(
    ["sets of texts compared", "MAUVE"],
    [
      html`<tr><th scope="row">the original’s and the reduced model’s</th>${numbers(decimal(mauve, 3))}</tr>`,
      html`<tr><th scope="row">the original’s and the original’s, from other random numbers</th>${numbers(decimal(mauveOfOriginal, 3))}</tr>`,
    ],
  )}
<p class="note">MAUVE says how alike two sets of texts are as a whole, from 0 to 1. The second row is what chance alone leaves below 1. ${verdict}</p>`;
}
