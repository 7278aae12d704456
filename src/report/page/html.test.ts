import { expect, test } from "vitest";
import { html } from "./html.js";

test("escapes texts, keeps markup made by the tag, joins lists, drops undefined", () => {
  const inner = html`<b title="${`"'`}">${"<&>"}</b>`;
  expect(inner.markup).toBe(`<b title="&quot;&#39;">&lt;&amp;&gt;</b>`);
  expect(html`${[inner, 1, "<"]}${undefined}`.markup).toBe(`${inner.markup}1&lt;`);
});
