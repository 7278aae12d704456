import type { CheckText } from "../../steering/check/check-texts.js";
import type { TrialSummary } from "../../steering/trials/experiment-summary.js";
import { type Html, html } from "../page/html.js";
import { count, decimal, percent, significant } from "../page/numbers.js";
import { textNames } from "./steering-texts.js";

/** Median misses on every text, beside those of the true logit bias: a row for each kind of trial. */
export function summaryTable(
  title: string,
  rows: readonly (readonly [name: string, summary: TrialSummary])[],
  texts: readonly CheckText[],
): Html {
  const miss = (value: number) =>
    value < 1e-5
      ? "< 10⁻⁵"
      : value < 5e-5
        ? significant(value)
        : value < 0.0995
          ? decimal(value, 4)
          : significant(value);
  return html`<div class="wide edits-table"><table><caption><b>${title}</b> Medians of |ln(actual ÷ wanted)|, beside them those of the true logit bias; KL(ideal ‖ edited) as a share of KL(original ‖ ideal).</caption>
<thead><tr><th scope="col"><span class="hidden">kind</span></th><th scope="col" class="number">edits</th>${texts.map(
    (text) =>
      html`<th scope="col" class="number wrap">${textNames[text]}</th><th scope="col" class="number">bias</th><th scope="col" class="number">KL share</th>`,
  )}<th scope="col" class="number">|x|</th><th scope="col" class="number">|x| / |ln r|</th></tr></thead>
<tbody>${rows.map(
    ([name, row]) => html`<tr><td class="nowrap">${name}</td><td class="number">${count(row.trials)}</td>${texts.map(
      (text) => {
        const numbers = row.texts[text];
        return html`<td class="number"><b>${miss(numbers?.medianMiss ?? Number.NaN)}</b></td><td class="number">${miss(numbers?.idealMedianMiss ?? Number.NaN)}</td><td class="number">${percent(numbers?.medianKlShare ?? Number.NaN)}</td>`;
      },
    )}<td class="number">${significant(row.medianNorm)}</td><td class="number">${significant(row.medianNormPerLogarithm)}</td></tr>
`,
  )}</tbody></table></div>`;
}
