// Markdown of the repository -> pages of one look, with links between them, their figures and an index to search.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { Marked } from "marked";

/** Nothing but the pages' own files. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'";

/**
 * Writes docs/ of the site.
 * @param {string} root of the repository  @param {string} target folder of the pages  @param {string} style of the reports
 */
export function writeDocumentation(root, target, style) {
  const pages = sourcesOf(root);
  mkdirSync(target, { recursive: true });
  const index = [];
  const navigation = pages.map(({ page, title }) => `<a href="${page}">${escaped(title)}</a>`).join("\n");
  const hasReference = existsSync(join(root, "docs", "api", "index.html"));
  const reference = hasReference ? '\n<a href="api/index.html">API reference</a>' : "";
  for (const { source, page, title, markdown } of pages) {
    const { content, sections } = rendered(markdown, source, pages);
    index.push(...sections.map((section) => ({ page, title, ...section })));
    writeFileSync(join(target, page), pageOf(title, content, navigation + reference));
  }
  writeFileSync(join(target, "search.json"), JSON.stringify(index));
  writeFileSync(join(target, "documentation.css"), `${style}\n${ownStyle}`);
  cpSync(join(root, "scripts", "site", "search.js"), join(target, "search.js"));
  cpSync(join(root, "docs", "figures"), join(target, "figures"), { recursive: true });
  if (hasReference) cpSync(join(root, "docs", "api"), join(target, "api"), { recursive: true });
}

/** README.md first, then docs/ by name, then what they lead to. */
function sourcesOf(root) {
  const names = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
  const sources = [
    "README.md",
    ...names.sort((a, b) => a.toLowerCase().localeCompare(b.toLowerCase())).map((name) => `docs/${name}`),
    ...["tiny-books", "tiny-books-neox", "corpus"].map((name) => `assets/${name}/README.md`),
    "CHANGELOG.md",
  ];
  return sources.map((source) => {
    const markdown = readFileSync(join(root, source), "utf8");
    return {
      source,
      markdown,
      page: pageName(source),
      title: /^# (.+)$/m.exec(markdown)?.[1].replace(/`/g, "") ?? source,
    };
  });
}

/** "docs/METHOD.md" is METHOD.html, "assets/corpus/README.md" is corpus.html, and README.md where everything begins. */
function pageName(source) {
  if (source === "README.md") return "index.html";
  const name = posix.basename(source, ".md");
  return `${name === "README" ? posix.basename(dirname(source)) : name}.html`;
}

/** A page's markup, and its sections as plain text. */
function rendered(markdown, source, pages) {
  const used = new Map();
  const sections = [];
  const anchorOf = (text) => {
    // As GitHub makes them, which the links in docs/ are written for.
    const slug = text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .trim()
      .replace(/\s/g, "-");
    const times = used.get(slug) ?? 0;
    used.set(slug, times + 1);
    return times === 0 ? slug : `${slug}-${times}`;
  };
  const marked = new Marked({
    gfm: true,
    renderer: {
      heading({ tokens, depth }) {
        const text = this.parser.parseInline(tokens, this.parser.textRenderer);
        const anchor = anchorOf(plain(text));
        return `<h${depth} id="${anchor}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
      link({ href, tokens }) {
        const text = this.parser.parseInline(tokens);
        const target = targetOf(href, source, pages);
        return target === undefined ? text : `<a href="${escaped(target)}">${text}</a>`;
      },
      image({ href, text }) {
        const path = posix.join(posix.dirname(source), href);
        return `<img src="${escaped(posix.relative("docs", path))}" alt="${escaped(text)}" loading="lazy">`;
      },
    },
  });
  const content = marked.parse(markdown);
  for (const part of content.split(/(?=<h[1-4] id=)/)) {
    const heading = /^<h[1-4] id="([^"]*)">([\s\S]*?)<\/h[1-4]>/.exec(part);
    const text = plain(part.slice(heading?.[0].length ?? 0))
      .replace(/\s+/g, " ")
      .trim();
    if (heading || text) sections.push({ anchor: heading?.[1] ?? "", heading: plain(heading?.[2] ?? ""), text });
  }
  return { content, sections };
}

/** Where a link of a Markdown file leads on the site; undefined for what is only in the repository. */
function targetOf(href, source, pages) {
  if (/^(?:https?:|#)/.test(href)) return href;
  const [path, anchor] = href.split("#");
  const wanted = posix.join(posix.dirname(source), path);
  const page = pages.find((one) => one.source === wanted)?.page;
  if (page !== undefined) return anchor === undefined ? page : `${page}#${anchor}`;
  return wanted.startsWith("docs/figures/") ? posix.relative("docs", wanted) : undefined;
}

const entities = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
const plain = (markup) =>
  markup.replace(/<[^>]*>/g, "").replace(/&(amp|lt|gt|quot|#39);/g, (_, name) => entities[name]);
const escaped = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

function pageOf(title, content, navigation) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="description" content="unembed: ${escaped(title)}">
<title>${escaped(title)} · unembed</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="documentation.css">
</head>
<body>
<div class="documentation">
<nav aria-label="Documentation">
<a href="../index.html"><b>Explorer</b></a>
<label for="search">Search</label>
<input id="search" type="search" autocomplete="off" spellcheck="false">
<ul id="found" aria-live="polite"></ul>
${navigation}
</nav>
<main>
${content}
</main>
</div>
<script type="module" src="search.js"></script>
</body>
</html>
`;
}

const ownStyle = `
.documentation { display: grid; grid-template-columns: 220px minmax(0, 1fr); gap: 40px; max-width: 1180px; margin: 0 auto; padding: 24px 20px 80px; }
.documentation nav { display: flex; flex-direction: column; gap: 6px; font-size: 14px; align-self: start; }
.documentation nav input { font: inherit; padding: 5px 8px; min-width: 0; }
#found { list-style: none; margin: 0; padding: 0; }
#found li { padding: 5px 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
#found small { display: block; color: var(--muted); }
.documentation main { min-width: 0; }
.documentation main p, .documentation main li { overflow-wrap: anywhere; }
.documentation pre { overflow-x: auto; background: var(--surface); border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; }
.documentation table { display: block; overflow-x: auto; }
.documentation img { max-width: 100%; height: auto; background: #fff; }
@media (max-width: 760px) { .documentation { grid-template-columns: minmax(0, 1fr); gap: 20px; } .documentation nav { flex-direction: row; flex-wrap: wrap; } .documentation nav input, #found { width: 100%; } }
`;
