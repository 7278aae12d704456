import type { Analysis } from "../../encoding/analysis.js";
import { type Html, html } from "../page/html.js";
import { percent, probability, times } from "../page/numbers.js";
import { tokenLabel } from "../page/token-label.js";
import { notableTokens, type TokenRow } from "./token-rows.js";

const LIKELIEST = 20;
const EACH_MISS = 10;

/** The tokens the encoding hits and misses, and the likeliest beside their share of the text. */
export function tokenTables(analysis: Analysis): { misses: Html; likeliest: Html } {
  const notable = notableTokens(analysis, LIKELIEST, EACH_MISS);
  return {
    misses: html`<div class="columns three">
${missTable("Likelier than fitted", "Worst underestimates: the model uses these more than their embedding tells.", notable.underestimated)}
${missTable("Rarer than fitted", "Worst overestimates: the model uses these less than their embedding tells.", notable.overestimated)}
${missTable("Closest", "The readout gives these their probability to within a thousandth or so.", notable.closest)}
</div>`,
    likeliest: likeliestTable(notable.likeliest),
  };
}

function missTable(title: string, note: string, rows: TokenRow[]): Html {
  return html`<div class="wide"><table>
<caption><b>${title}</b> ${note}</caption>
<thead><tr><th scope="col">token</th><th scope="col" class="number">true α</th><th scope="col" class="number">fitted</th><th scope="col" class="number">true is</th></tr></thead>
<tbody>${rows.map(
    (row) => html`<tr><td>${tokenLabel(row.text, row.id)}</td><td class="number">${probability(row.observed)}</td>
<td class="number">${probability(row.fitted)}</td><td class="number">${times(row.observed / row.fitted, "likelier", "rarer")}</td></tr>
`,
  )}</tbody></table></div>`;
}

function likeliestTable(rows: TokenRow[]): Html {
  const longest = Math.max(...rows.flatMap((row) => [row.observed, row.corpusShare]).filter(Number.isFinite));
  const bar = (share: number, kind: string) =>
    html`<span class="bar ${kind}" style="width:${((100 * share) / longest || 0).toFixed(1)}%"></span>`;
  return html`<div class="wide"><table class="likeliest">
<caption><b>The likeliest tokens</b> Mean probability α (filled) beside the token’s share of the text itself (outlined).</caption>
<thead><tr><th scope="col">token</th><th scope="col" class="bars"><span class="hidden">bars</span></th><th scope="col" class="number">true α</th>
<th scope="col" class="number">in the text</th><th scope="col" class="number">fitted</th></tr></thead>
<tbody>${rows.map(
    (row) => html`<tr><td>${tokenLabel(row.text, row.id)}</td>
<td class="bars" aria-hidden="true">${bar(row.observed, "filled")}${bar(row.corpusShare, "outlined")}</td>
<td class="number">${probability(row.observed)}</td><td class="number">${percent(row.corpusShare)}</td><td class="number">${probability(row.fitted)}</td></tr>
`,
  )}</tbody></table></div>`;
}
