import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { browserPath, openFile, QUIET_BROWSER } from "./browser.js";

/** What would do harm if it became more than text. */
export const HOSTILE = `</script><img src=x onerror="window.attacked=1">`;

/** A page without its data and its script. */
export const markupOf = (page: string) => page.slice(0, page.indexOf('<script type="application/json"'));

/** Chromium for the tests around it, with a report in a file: opens it, and collects what the page complains of. */
export function openedReport(contents: () => string) {
  let folder: string;
  let browser: Browser;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "unembed-report-"));
    writeFileSync(join(folder, "report.html"), contents());
    browser = await chromium.launch({ executablePath: browserPath!, args: QUIET_BROWSER });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return (width: number, colorScheme: "light" | "dark") =>
    openFile(browser, join(folder, "report.html"), width, colorScheme);
}
