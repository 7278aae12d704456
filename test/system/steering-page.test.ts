import { describe, expect, test } from "vitest";
import { browserPath } from "../support/browser.js";
import { hostileSteeringPage } from "../support/hostile-pages.js";
import { expectWhole, openedReport } from "../support/report-page.js";

describe.skipIf(browserPath === undefined)("the report of a steering run in a browser", () => {
  const open = openedReport(hostileSteeringPage);

  test.each([
    { width: 400, theme: "light" },
    { width: 1400, theme: "dark" },
  ] as const)("draws every figure at $width px in the $theme theme", async ({ width, theme }) => {
    const { page, complaints } = await open(width, theme);
    await expectWhole({ page, complaints });
    expect(await page.locator("figure .chart svg").count()).toBe(await page.locator("figure .chart").count());
    // A dot and a ring for each of three edits on each of three texts.
    expect(await page.locator("#ratio-figure circle").count()).toBe(2 * 9);
    expect(await page.locator("#scale-figure circle").count()).toBe(2 * 9);
    expect(await page.locator("#sweep-inDomain circle").count()).toBe(2 * 12);
    expect(await page.locator("#methods-figure circle").count()).toBe(5 * 6 * 3);
    // A dot for each size and text, a ring around the one in use.
    expect(await page.locator("#sizes-figure circle").count()).toBe(3 * 3 + 3);
    expect(await page.locator("#tokens-figure circle").count()).toBe(3 * 3);
    await page.close();
  });

  test("tells the numbers of the point under the pointer, as text", async () => {
    const { page, complaints } = await open(1400, "light");
    const dot = page.locator("#ratio-figure circle").first();
    await dot.scrollIntoViewIfNeeded();
    await dot.hover({ force: true });
    await page.waitForFunction(() => document.querySelector("#ratio-figure svg")!.textContent!.includes("wanted ×"));
    expect(await page.locator("#ratio-figure svg").textContent()).toContain("95% interval");
    expect(complaints).toEqual([]);
    await page.close();
  });
});
