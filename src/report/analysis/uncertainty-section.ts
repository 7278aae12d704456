import type { Analysis, R2Interval, R2Point } from "../../encoding/analysis.js";
import { type Html, html } from "../page/html.js";
import { count, counted, decimal, percent } from "../page/numbers.js";

/** Whether the text was enough: R2 on less of it, and its interval. */
export function uncertaintySection({ uncertainty: { r2Interval, r2Curve } }: Analysis): Html {
  return html`<h3>Is it enough text?</h3>
<p>With a single context R² is 1 by construction: −log p is then a linear function of E<sub>w</sub> for any model. With more, α settles, and R² with it.
${intervalWords(r2Interval)}</p>
${r2Curve.length < 2 ? html`<p>There is one window of text: R² on less of it cannot be shown.</p>` : curve(r2Curve, r2Interval !== undefined)}`;
}

function curve(points: readonly R2Point[], hasInterval: boolean): Html {
  const [before, last] = points.slice(-2) as [R2Point, R2Point];
  return html`<figure id="uncertainty-figure">
<div class="chart" data-label="R squared against the number of contexts, from ${decimal(points[0]!.r2, 3)} on ${counted(points[0]!.contexts, "context")} to ${decimal(last.r2, 3)} on ${count(last.contexts)}"></div>
<figcaption><b>R² against the length of the text.</b> Mean over disjoint parts of the text (line) and their lowest to highest (band)${
    hasInterval ? "; the bar at the end is the 95% interval" : ""
  }. From ${counted(before.contexts, "context")} to ${count(last.contexts)} R² moved by ${decimal(last.r2 - before.r2, 4)}.</figcaption>
</figure>
<details><summary>The same as a table</summary>
<table><thead><tr><th scope="col" class="number">contexts</th><th scope="col" class="number">R², mean</th><th scope="col" class="number">lowest</th><th scope="col" class="number">highest</th><th scope="col" class="number">parts</th></tr></thead>
<tbody>${points.map(
    ({ contexts, r2, low, high, subsets }) =>
      html`<tr><td class="number">${count(contexts)}</td>${[r2, low, high].map((value) => html`<td class="number">${decimal(value, 4)}</td>`)}<td class="number">${count(subsets)}</td></tr>
`,
  )}</tbody></table></details>`;
}

function intervalWords(interval: R2Interval | undefined): string {
  if (interval === undefined) return "How sure it is cannot be told from this text.";
  const { low, high, level, groups, resamples } = interval;
  return `With other windows of the same text R² would lie between ${decimal(low, 4)} and ${decimal(high, 4)} (${percent(level, 0)} of ${count(resamples)} fits to ${groups} of ${groups} groups of windows, drawn with replacement).`;
}
