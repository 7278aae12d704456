// Draws docs/figures/steering-*.svg from the run.json of experiments, with a Chromium that is installed:
//   npx tsx scripts/steering-figures.ts runs/steer-tiny-books/run.json
// Of several files, each figure is drawn from the last that has its experiment.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { type ExperimentsPageData, experimentsPageData } from "../src/report/steering/steering-trials.js";
import type { Experiments } from "../src/steering/trials/run-experiments.js";
import { browserPath, QUIET_BROWSER } from "../test/support/browser.js";

const folder = fileURLToPath(new URL("../docs/figures/", import.meta.url));
const pageScript = fileURLToPath(new URL("./steering-figures-page.ts", import.meta.url));

const files = process.argv.slice(2);
if (files.length === 0) throw new Error("name the run.json of one or more runs of `unembed steer` with experiments");
if (browserPath === undefined) throw new Error("no Chromium is installed; set CHROMIUM_PATH");

const runs = files.map((file): ExperimentsPageData => {
  const experiments: Experiments | null | undefined = JSON.parse(readFileSync(file, "utf8")).results?.experiments;
  if (!experiments) throw new Error(`${file}: holds no experiments`);
  return experimentsPageData(experiments);
});
const { outputFiles } = await build({ entryPoints: [pageScript], bundle: true, format: "iife", write: false });
const browser = await chromium.launch({ executablePath: browserPath, args: QUIET_BROWSER });
try {
  const page = await browser.newPage();
  await page.addScriptTag({ content: outputFiles[0]!.text });
  const figures = await page.evaluate((data) => globalThis.drawSteeringFigures(data), runs);
  mkdirSync(folder, { recursive: true });
  for (const { name, svg } of figures) {
    writeFileSync(join(folder, `${name}.svg`), `${svg}\n`);
    console.log(`docs/figures/${name}.svg, ${Math.ceil(Buffer.byteLength(svg) / 1000)} kB`);
  }
} finally {
  await browser.close();
}
