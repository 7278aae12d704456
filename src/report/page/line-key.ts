import { type Html, html } from "./html.js";

/** What a legend says of one line of a figure. @param colour a CSS colour of this project */
export function lineKey(colour: string, name: string, dashed = false): Html {
  return html`<span class="key"><span class="swatch line${dashed ? " dashed" : ""}" style="background:${colour}"></span>${name}</span>`;
}
