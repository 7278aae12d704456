import { type Html, html } from "../page/html.js";

/** Cells of a row of numbers. */
export function numbers(...cells: readonly string[]): Html {
  return html`${cells.map((cell) => html`<td class="number">${cell}</td>`)}`;
}

/** The first column names the rows, the others are numbers. */
export function table(columns: readonly string[], rows: readonly (Html | undefined)[]): Html {
  const [first, ...others] = columns;
  return html`<div class="wide"><table><thead><tr><th scope="col">${first}</th>${others.map(
    (name) => html`<th scope="col" class="number">${name}</th>`,
  )}</tr></thead>
<tbody>${rows}</tbody></table></div>`;
}
