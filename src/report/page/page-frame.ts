import { embeddedJson } from "./embedded-json.js";
import { type Html, html, trustedHtml } from "./html.js";
import { style } from "./style.js";

/** Whatever a page might hold, it loads nothing: no script, image, font or request but what is inside it. */
const CONTENT_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:";

/** What one kind of report puts into the frame that all of them share. */
export interface Page {
  title: string;
  /** Names of the sections by their ids, for the navigation. */
  sections: Readonly<Record<string, string>>;
  content: Html;
  /** What the figures are drawn from. */
  data: unknown;
  /** The script that draws them, a constant of this project. */
  script: string;
}

/** A whole page as a single HTML file: styles, data and script are inside it. */
export function pageFrame({ title, sections, content, data, script }: Page): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${CONTENT_POLICY}">
<meta name="generator" content="unembed">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${trustedHtml(style)}</style>
</head>
<body>
<div class="page">
${navigation(sections)}
<main>
${content}
</main>
<footer>Method: Cho, Sakai, Tanaka, Kato and Inoue, <i>Understanding Token Probability Encoding in Output Embeddings</i>, COLING 2025,
<a href="https://arxiv.org/abs/2406.01468" rel="noreferrer">arXiv 2406.01468</a>. This page is complete in itself and loads nothing from the network.</footer>
</div>
<script type="application/json" id="data">${trustedHtml(embeddedJson(data))}</script>
<script>${trustedHtml(script)}</script>
</body>
</html>
`;
  return page.markup;
}

function navigation(sections: Page["sections"]): Html {
  return html`<div class="top"><nav aria-label="Sections">${Object.entries(sections).map(
    ([id, name]) => html`<a href="#${id}">${name}</a>`,
  )}</nav><button type="button" id="theme" hidden>Dark</button></div>`;
}

export function section(id: string, title: string, content: Html): Html {
  return html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>
${content}
</section>
`;
}
