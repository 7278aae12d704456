import { expect, test } from "vitest";
import { renderComparisonReport } from "../../src/report/comparison/comparison-report.js";
import { hostileComparisonPage } from "../support/hostile-pages.js";
import { plausibleComparison } from "../support/plausible-comparison.js";
import { expectHarmless, markupOf, wordsOf } from "../support/report-page.js";

test("the same comparison gives the same page, which loads nothing and holds no markup of its input", () => {
  const page = hostileComparisonPage();
  expect(hostileComparisonPage()).toBe(page);
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
  expect(wordsOf(page)).toContain("No context differs by more than the rounding of float32 logits. ");
  expect(wordsOf(page)).not.toMatch(/0 nats apart|the figures leave them out/);
  expect(markupOf(page)).not.toMatch(/spread-figure|NaN|undefined/);
});
