// site/: the explorer as a static page, the embedded model and text, and the documentation as pages, for any static host and
// below any path: `npm run site`; `npm run site -- --serve [--port 8080]` also serves it to this machine.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { setup } from "./setup.js";

/** Where models of the hub come from: the hub, and the storages that it sends browsers to. */
const hosts = ["https://huggingface.co", "https://*.huggingface.co", "https://*.hf.co"];

const root = fileURLToPath(new URL("..", import.meta.url));
const site = join(root, "site");

const { values } = parseArgs({ options: { serve: { type: "boolean" }, port: { type: "string", default: "0" } } });
const port = Number(values.port);
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  console.error(`site: --port ${values.port} is no port: a whole number up to 65535 is wanted`);
  process.exit(2);
}
setup();
await buildSite();
if (values.serve) {
  const { serveFolder } = await import("./site/serve-folder.js");
  const server = await serveFolder(site, port);
  console.log(`http://127.0.0.1:${server.address().port}/`);
} else {
  console.log(site);
}

async function buildSite() {
  const dist = (path) => import(new URL(`../dist/${path}`, import.meta.url).href);
  const { pageHtml, pagePolicy } = await dist("page/page-html.js");
  const { pageStyle } = await dist("page/page-style.js");
  const { style } = await dist("report/page/style.js");
  const { writeDocumentation } = await import("./site/documentation.js");
  rmSync(site, { recursive: true, force: true });
  mkdirSync(join(site, "texts"), { recursive: true });
  writeFileSync(join(site, "index.html"), pageHtml({ policy: pagePolicy(hosts) }));
  writeFileSync(join(site, "explorer.css"), pageStyle);
  for (const name of pageScripts()) cpSync(join(root, "dist", "page", name), join(site, name));
  for (const name of ["explore-worker.js", "wasm-worker.js", "ort-wasm-simd-threaded.wasm"]) {
    cpSync(join(root, "dist", "web", name), join(site, name));
  }
  cpSync(join(root, "assets", "tiny-books"), join(site, "tiny-books"), { recursive: true });
  cpSync(join(root, "assets", "corpus", "books-fit.txt"), join(site, "texts", "books-fit.txt"));
  writeDocumentation(root, join(site, "docs"), style);
  writeServiceWorker();
}

/** The page and its parts, which the bundler names by what is in them. */
function pageScripts() {
  const names = readdirSync(join(root, "dist", "page"));
  return names.filter((name) => name === "explorer.js" || /^[\w-]+-[A-Z0-9]{8}\.js$/.test(name));
}

/** What answers while there is no network: the page, its model and the pages of docs/, under a name that changes with any of them. */
function writeServiceWorker() {
  const files = readdirSync(site, { recursive: true })
    .map((path) => path.split(sep).join("/"))
    .filter((path) => statSync(join(site, path)).isFile() && !path.startsWith("docs/api/"))
    .sort();
  const hash = createHash("sha256");
  for (const path of files) hash.update(path).update(readFileSync(join(site, path)));
  const script = readFileSync(join(root, "dist", "page", "service-worker.js"), "utf8");
  const kept = { version: hash.digest("hex").slice(0, 16), files };
  writeFileSync(join(site, "service-worker.js"), `self.kept = ${JSON.stringify(kept)};\n${script}`);
}
