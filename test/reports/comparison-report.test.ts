import { describe, expect, test } from "vitest";
import { renderComparisonReport } from "../../src/report/comparison/comparison-report.js";
import { browserPath } from "../support/browser.js";
import { plausibleComparison } from "../support/plausible-comparison.js";
import { expectHarmless, expectWhole, HOSTILE, markupOf, openedReport, wordsOf } from "../support/report-page.js";

const hostile = () => {
  const comparison = plausibleComparison(Array.from({ length: 500 }, (_, id) => HOSTILE + id));
  const model = { name: HOSTILE, modelType: HOSTILE, hiddenSize: 16, dtype: HOSTILE };
  const files = [{ name: HOSTILE, bytes: 1 }];
  const changed = { models: { a: model, b: model }, corpus: { ...comparison.corpus, files } };
  return renderComparisonReport({ ...comparison, ...changed }, { command: `unembed compare ${HOSTILE}` });
};

test("the same comparison gives the same page, which loads nothing and holds no markup of its input", () => {
  const page = hostile();
  expect(hostile()).toBe(page);
  expectHarmless(page);
});

test("says in words how far apart the models are, and which tokens moved", () => {
  const comparison = plausibleComparison();
  const page = wordsOf(renderComparisonReport(comparison));
  expect(page).toContain("The models agree on the likeliest next token in 96.4% of contexts");
  expect(page).toContain(
    "B predicts the text’s own next tokens worse than A: perplexity 76.50 under A, 77.20 under B.",
  );
  expect(page).toContain("differs by the largest factor is part20: 11× rarer under B");
  expect(page).toContain("In 80 contexts the divergence is below 10⁻⁹");
  const nearly = { ...comparison, top1Agreement: 1 - 1 / 4000 };
  expect(wordsOf(renderComparisonReport(nearly))).toContain("likeliest next token in all but 1 of 4,000 contexts");
  const broken = { ...comparison, perplexity: { a: 64616072384016.516, b: 64616072384016.516 } };
  expect(wordsOf(renderComparisonReport(broken))).toContain("equally well: perplexity 6.5 × 10¹³ under A");
});

test("two models that are the same, and windows of one token", () => {
  const comparison = plausibleComparison();
  const nothing = new Float32Array(4000);
  const none = { mean: 0, percentile95: 0, max: 0 };
  const page = renderComparisonReport({
    ...{ ...comparison, kl: none, reverseKl: none, js: none, top1Agreement: 1, predictedTokens: 0 },
    perContext: { kl: nothing, reverseKl: nothing, js: nothing },
    perplexity: { a: Number.NaN, b: Number.NaN },
    meanProbability: { a: comparison.meanProbability.a, b: comparison.meanProbability.a },
  });
  expect(wordsOf(page)).toContain("Both models give the same output in every context");
  expect(wordsOf(page)).toContain("No token’s mean probability differs.");
  expect(markupOf(page)).not.toMatch(/spread-figure|NaN|undefined/);
});

describe.skipIf(browserPath === undefined)(
  `the report of a comparison in a browser${browserPath === undefined ? " (skipped: no Chromium; set CHROMIUM_PATH)" : ""}`,
  () => {
    const open = openedReport(hostile);

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
  },
);
