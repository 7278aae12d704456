import { describe, expect, test } from "vitest";
import { browserPath } from "../support/browser.js";
import { hostileComparisonPage } from "../support/hostile-pages.js";
import { expectWhole, openedReport } from "../support/report-page.js";

describe.skipIf(browserPath === undefined)("the report of a comparison in a browser", () => {
  const open = openedReport(hostileComparisonPage);

  test.each([
    { width: 400, theme: "light" },
    { width: 400, theme: "dark" },
    { width: 1400, theme: "light" },
    { width: 1400, theme: "dark" },
  ] as const)("draws every figure at $width px in the $theme theme", async ({ width, theme }) => {
    const { page, complaints } = await open(width, theme);
    await expectWhole({ page, complaints });
    expect(await page.locator("figure .chart svg").count()).toBe(3);
    expect(await page.locator("#exceedance-figure [aria-label=line] path").count()).toBe(3);
    await page.close();
  });

  test("finds a token, tells its numbers as text, and shows changes instead", async () => {
    const { page, complaints } = await open(1400, "light");
    await page.fill("#token-search", "#10");
    expect(await page.locator("#token-list").textContent()).toContain("under B 4.8× likelier");
    const ring = page.locator("#probability-figure circle").last();
    await ring.scrollIntoViewIfNeeded();
    const box = (await ring.boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    const tip = page.locator("#probability-figure .tip");
    await tip.waitFor({ state: "visible" });
    expect(await tip.textContent()).toContain("</script><img␣src=x");
    expect(await tip.textContent()).toContain("α under B");
    const picture = () => page.evaluate(() => document.querySelector("canvas")!.toDataURL());
    const after = await picture();
    await page.locator("#probability-controls select").selectOption("change");
    expect(await picture()).not.toBe(after);
    expect(await page.locator("#probability-figure svg").textContent()).toContain("B over A");
    expect(complaints).toEqual([]);
    await page.close();
  });
});
