import { describe, expect, test } from "vitest";
import { browserPath } from "../support/browser.js";
import { hostileDynamicsPage } from "../support/hostile-pages.js";
import { expectWhole, openedReport } from "../support/report-page.js";

describe.skipIf(browserPath === undefined)("the report of a training run in a browser", () => {
  const open = openedReport(() => hostileDynamicsPage());

  test.each([
    { width: 400, theme: "light" },
    { width: 400, theme: "dark" },
    { width: 1400, theme: "light" },
    { width: 1400, theme: "dark" },
  ] as const)("draws every figure at $width px in the $theme theme", async ({ width, theme }) => {
    const { page, complaints } = await open(width, theme);
    await expectWhole({ page, complaints });
    expect(await page.locator("figure .chart svg").count()).toBe(10);
    expect(await page.locator("#slope-figure rect").count()).toBeGreaterThanOrEqual(8 * 8);
    await page.close();
  });

  test("the slider moves the cloud from the mean onto the diagonal, and plays", async () => {
    const { page, complaints } = await open(1400, "light");
    const picture = () => page.evaluate(() => document.querySelector("canvas")!.toDataURL());
    const last = await picture();
    expect(await page.locator("#step-name").textContent()).toMatch(/^step 64: R² 0\.9/);
    await page.locator("#step").fill("0");
    expect(await page.locator("#step-name").textContent()).toMatch(/^step 0: R² 0\.\d/);
    expect(await picture()).not.toBe(last);
    await page.click("#play");
    await page.waitForFunction(() => document.querySelector("#step-name")!.textContent!.startsWith("step 64"));
    expect(await picture()).toBe(last);
    expect(await page.locator("#play").textContent()).toBe("Play");
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("follows a token that is searched for, another measure, and the linear scale", async () => {
    const { page, complaints } = await open(1000, "light");
    await page.fill("#token-search", "#10");
    expect(await page.locator("#fit-figure .name.marked").textContent()).toContain("</script>");
    expect(
      await page.locator("#path-figure [aria-label=line] path, #path-figure path[stroke-width='1.75']").count(),
    ).toBeGreaterThan(0);
    const drawing = (id: string) => page.locator(`#${id} svg`).innerHTML();
    const before = await drawing("movement-figure");
    await page.locator("#movement-controls select").selectOption("cosine");
    expect(await drawing("movement-figure")).not.toBe(before);
    const logarithmic = await drawing("trajectory-figure");
    await page.locator("#scale-controls select").selectOption("linear");
    expect(await drawing("trajectory-figure")).not.toBe(logarithmic);
    await page.click("#theme");
    expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe("dark");
    expect(complaints).toEqual([]);
    await page.close();
  });
});
