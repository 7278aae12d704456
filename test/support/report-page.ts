import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect } from "vitest";
import { browserPath, openFile, QUIET_BROWSER } from "./browser.js";

/** What would do harm if it became more than text. */
export const HOSTILE = `</script><img src=x onerror="window.attacked=1">`;

/** A page without its data and its script. */
export const markupOf = (page: string) => page.slice(0, page.indexOf('<script type="application/json"'));

/** What a reader sees of a page, without its markup. */
export const wordsOf = (page: string) =>
  markupOf(page)
    .replaceAll(/<[^>]*>/g, "")
    .replaceAll("\n", " ");

/** That a page loads nothing, holds no markup of its input, and no number that went wrong. @param page made of HOSTILE texts */
export function expectHarmless(page: string): void {
  expect(page.includes("<img")).toBe(false);
  expect(page.match(/<script\b/g)).toHaveLength(2);
  expect(page.match(/<\/script/g)).toHaveLength(2);
  expect(markupOf(page)).toContain("default-src &#39;none&#39;");
  expect(markupOf(page)).not.toMatch(/NaN|Infinity|undefined|\[object/);
  // Markup of the page's own that went through as text.
  expect(markupOf(page)).not.toMatch(/&lt;\/?(?:b|bdi|code|dl|i|li|p|small|span|table|td|tr|ul)\b/);
}

/** Chromium for the tests around it, with a report in a file: opens it, and collects what the page complains of. */
export function openedReport(contents: () => string | Promise<string>) {
  let folder: string;
  let browser: Browser;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "unembed-report-"));
    writeFileSync(join(folder, "report.html"), await contents());
    browser = await chromium.launch({ executablePath: browserPath!, args: QUIET_BROWSER });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return async (width: number, colorScheme: "light" | "dark") => {
    const opened = await openFile(browser, join(folder, "report.html"), width, colorScheme);
    await opened.page.waitForFunction(() =>
      [...document.querySelectorAll(".chart")].every((chart) => chart.querySelector("svg")),
    );
    return opened;
  };
}

/**
 * That an opened page has drawn all its figures into its window, without a complaint, and that its input did nothing.
 * What is wider than the window scrolls in a container of its own, also in what is folded away at first.
 */
export async function expectWhole({ page, complaints }: { page: Page; complaints: string[] }): Promise<void> {
  await page.evaluate(() => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
  expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  expect(await page.evaluate(wideElements)).toEqual([]);
  expect(await page.evaluate(unevenTables)).toEqual([]);
  expect(complaints).toEqual([]);
  expect(await page.evaluate(() => "attacked" in window)).toBe(false);
  expect(await page.evaluate(() => document.querySelectorAll("img").length)).toBe(0);
}

/** Elements that reach beyond the window and lie in no container that scrolls. Runs in the page. */
function wideElements(): string[] {
  const scrolls = (element: Element | null): boolean =>
    element !== null && (getComputedStyle(element).overflowX !== "visible" || scrolls(element.parentElement));
  return [...document.body.querySelectorAll("*")]
    .filter((element) => {
      const { left, right, width } = element.getBoundingClientRect();
      return width > 0 && (right > innerWidth + 1 || left < -1) && !scrolls(element.parentElement);
    })
    .map(
      (element) =>
        `${element.tagName} ${element.id || element.getAttribute("class")} ${element.textContent?.slice(0, 40)}`,
    );
}

/** Tables that stand beside one another and do not begin at the same height. Runs in the page. */
function unevenTables(): string[] {
  if (innerWidth < 900) return [];
  return [...document.querySelectorAll(".columns.three, .columns.two")].flatMap((columns) => {
    const tables = [...columns.children].filter((child) => child.matches(".wide"));
    const top = tables[0]?.getBoundingClientRect().top;
    const sameRow = tables.slice(0, columns.matches(".three") ? 3 : 2);
    return sameRow
      .filter((table) => Math.abs(table.getBoundingClientRect().top - top!) > 0.5)
      .map((table) => table.querySelector("caption")?.textContent ?? "a table");
  });
}
