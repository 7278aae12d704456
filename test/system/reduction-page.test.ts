import { describe, expect, test } from "vitest";
import { browserPath } from "../support/browser.js";
import { hostileReductionPage } from "../support/hostile-pages.js";
import { expectWhole, openedReport } from "../support/report-page.js";

describe.skipIf(browserPath === undefined)("the report of a reduction in a browser", () => {
  const open = openedReport(hostileReductionPage);

  test.each([
    { width: 400, theme: "light" },
    { width: 1400, theme: "dark" },
  ] as const)("draws every figure at $width px in the $theme theme", async ({ width, theme }) => {
    const { page, complaints } = await open(width, theme);
    await expectWhole({ page, complaints });
    expect(await page.locator("figure .chart svg").count()).toBe(4);
    // A line for each of six methods.
    expect(await page.locator("#kl-figure .chart [aria-label=line] path").count()).toBe(6);
    // The legend says what three colours and symbols mean, and that of two stages, and what four dashes do.
    expect(await page.locator("#curve-legend .key").count()).toBe(3 + 1 + 4);
    // Less work to the right, and above it the share deleted.
    const labels = await page.locator("#kl-figure .chart svg").last().textContent();
    expect(labels).toContain("multiplications of the head");
    expect(labels).toContain("share deleted, of one stage");
    // Where there is room each curve has its name at its end.
    const ends = await page.locator("#kl-figure .curve-name").allTextContents();
    const all = ["random, nothing made up for", "rotation", "rotation, 32 rescored", "rotation, refined"];
    const named = [...all, "saliency, least squares", "saliency, nothing made up for"];
    expect(ends.sort()).toEqual(width < 760 ? [] : named);
    await page.close();
  });

  test("tells the numbers of the point under the pointer", async () => {
    const { page, complaints } = await open(1400, "light");
    const chart = page.locator("#kl-figure svg").last();
    await chart.scrollIntoViewIfNeeded();
    await chart.hover();
    await page.waitForFunction(() =>
      document.querySelector("#kl-figure .chart svg")!.textContent!.includes("deleted ("),
    );
    expect(complaints).toEqual([]);
    await page.close();
  });
});
