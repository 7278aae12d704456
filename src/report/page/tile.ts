import { type Html, html } from "./html.js";

/** One number of the headline. */
export function tile(name: string, value: string, note: string): Html {
  return html`<div><dt>${name}</dt><dd class="value">${value}</dd><dd>${note}</dd></div>
`;
}
