import { type Html, html } from "./html.js";
import { visibleToken } from "./visible-text.js";

/** A token by its text, and by its id where that cannot be told by the text. */
export function tokenLabel(text: string, id: number): Html {
  return html`<bdi class="token" title="token ${id}">${visibleToken(text)}</bdi>${text.includes("\ufffd") ? html` <small>#${id}</small>` : undefined}`;
}
