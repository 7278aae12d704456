import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { renderAnalysisReport } from "../../src/report/analysis/report.js";
import { browserPath, openFile, QUIET_BROWSER } from "../support/browser.js";
import { plausibleAnalysis } from "../support/plausible-analysis.js";
import { expectWhole, HOSTILE } from "../support/report-page.js";

describe.skipIf(browserPath === undefined)("the report in a browser", () => {
  const folder = mkdtempSync(join(tmpdir(), "unembed-report-"));
  const file = join(folder, "report.html");
  let browser: Browser;

  beforeAll(async () => {
    const analysis = plausibleAnalysis();
    analysis.tokens = analysis.tokens.map((text, id) => (id % 5 === 0 ? HOSTILE + id : text));
    writeFileSync(file, renderAnalysisReport(analysis, { command: "unembed analyze" }));
    browser = await chromium.launch({
      executablePath: browserPath!,
      args: QUIET_BROWSER,
    });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(width: number, colorScheme: "light" | "dark") {
    const opened = await openFile(browser, file, width, colorScheme);
    await opened.page.waitForSelector("#refit-figure svg");
    await opened.page.waitForSelector("#component-figure svg");
    return opened;
  }

  test.each([
    { width: 400, theme: "light" },
    { width: 400, theme: "dark" },
    { width: 1400, theme: "light" },
    { width: 1400, theme: "dark" },
  ] as const)("draws every figure at $width px in the $theme theme", async ({ width, theme }) => {
    const { page, complaints } = await open(width, theme);
    await expectWhole({ page, complaints });
    expect(await page.locator("figure .chart svg").count()).toBe(7);
    const [red = 0] = await page.evaluate(() =>
      getComputedStyle(document.body).backgroundColor.match(/\d+/g)!.map(Number),
    );
    expect(red > 128).toBe(theme === "light");
    expect(complaints).toEqual([]);
    const pixels = await page.evaluate(colouredPixels);
    expect(pixels).toHaveLength(2);
    expect(Math.min(...pixels)).toBeGreaterThan(500);
    await page.close();
  });

  test("names the token under the pointer, in every figure, as text", async () => {
    const { page, complaints } = await open(1400, "light");
    await page.fill("#token-search", "#10");
    const ring = page.locator("#fit-figure circle").last();
    await ring.scrollIntoViewIfNeeded();
    const box = (await ring.boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    const tip = page.locator("#fit-figure .tip");
    await tip.waitFor({ state: "visible" });
    expect(await tip.textContent()).toContain("</script><img␣src=x␣onerror=");
    expect(await tip.textContent()).toContain("true α");
    expect(await page.locator("#component-figure circle:not(.halo)").count()).toBe(2);
    expect(await page.evaluate(() => document.querySelectorAll("img").length)).toBe(0);
    expect(await page.evaluate(() => "attacked" in window)).toBe(false);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("finds tokens, marks them on a click and walks them with the arrow keys", async () => {
    const { page, complaints } = await open(1000, "light");
    await page.fill("#token-search", "word101");
    expect(await page.locator("#token-list li").count()).toBe(1);
    expect(await page.locator("#token-list").textContent()).toContain("␣word101");
    expect(await page.locator("#fit-figure .name.marked").textContent()).toBe("␣word101");
    await page.click("#token-list button");
    expect(await page.locator("#fit-figure .name.marked").count()).toBe(0);
    await page.fill("#token-search", "no such token");
    expect(await page.locator("#token-list-title").textContent()).toBe("No token holds that text");

    await page.focus("#fit-figure .chart");
    await page.keyboard.press("ArrowRight");
    const first = await page.locator("#fit-figure .tip").textContent();
    await page.keyboard.press("ArrowRight");
    expect(await page.locator("#fit-figure .tip").textContent()).not.toBe(first);
    await page.keyboard.press("Escape");
    expect(await page.locator("#fit-figure .tip").isVisible()).toBe(false);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("shows and marks what a finger taps", async () => {
    const context = await browser.newContext({ viewport: { width: 400, height: 900 }, hasTouch: true });
    const page = await context.newPage();
    await page.goto(pathToFileURL(file).href);
    const chart = page.locator("#fit-figure .chart");
    await chart.scrollIntoViewIfNeeded();
    await page.locator("#fit-figure circle").first().tap({ force: true });
    await page.locator("#fit-figure .tip").waitFor({ state: "visible" });
    expect(await page.locator("#token-list-title").textContent()).toBe("Marked");
    await context.close();
  });

  test("follows the theme toggle, a change of components and of width", async () => {
    const { page, complaints } = await open(1400, "light");
    const picture = () => page.evaluate(() => document.querySelectorAll("canvas")[1]!.toDataURL());
    const light = await picture();
    await page.click("#theme");
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe("dark");
    const dark = await picture();
    expect(dark).not.toBe(light);
    await page.locator("#component-controls select").first().selectOption("2");
    expect(await picture()).not.toBe(dark);
    await page.setViewportSize({ width: 400, height: 900 });
    await page.waitForFunction(() => document.querySelector("#fit-figure svg")!.clientWidth < 400);
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
    expect(complaints).toEqual([]);
    await page.close();
  });
});

/** Pixels that are not empty, of each canvas. Runs in the page. */
function colouredPixels(): number[] {
  return [...document.querySelectorAll("canvas")].map((canvas) => {
    const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, i) => i % 4 === 3 && value > 0).length;
  });
}
