import { expect, test } from "vitest";
import { renderReductionReport } from "../../src/report/reduction/reduction-report.js";
import { hostileReductionPage } from "../support/hostile-pages.js";
import { plausibleReduction } from "../support/plausible-reduction.js";
import { expectHarmless, markupOf, wordsOf } from "../support/report-page.js";

test("the same run gives the same page, which loads nothing and holds no markup of its input", () => {
  const page = hostileReductionPage();
  expect(hostileReductionPage()).toBe(page);
  expectHarmless(page);
});

test("says in words what was lost and what was gained", () => {
  const run = plausibleReduction();
  const page = wordsOf(renderReductionReport(run));
  expect(page).toContain("Deleting 30% of the head’s dimensions hardly changes the output");
  expect(page).toContain("another one in 3.00% of the contexts, the distribution moves by 0.00270 nats");
  expect(page).toContain("perplexity goes from 76.50 to 76.65 (+0.200%)");
  expect(page).toContain(
    "multiplies by 25,920 numbers instead of 32,768 and takes 0.75 of the time; the model is 46.1 kB larger, since its input",
  );
  const slow = { head: { before: 2, after: 3 }, step: undefined };
  expect(wordsOf(renderReductionReport({ ...run, milliseconds: slow }))).toContain(
    "instead of 32,768, but took 1.50 times as long when this was measured; the model",
  );
  expect(page).toContain("bytes of the model as onnx, as it was written1.00 MB1.05 MB1.05");
  const written = { before: 1_000_000, after: 1_131_072 };
  const plain = wordsOf(renderReductionReport({ ...run, format: "safetensors", bytes: { ...run.bytes, written } }));
  expect(plain).toContain("Gained: nothing in this folder, whose head keeps its shape");
  expect(plain).toContain("its weights take 1.13 MB, the original’s 1.00 MB. Written with --format onnx it is");
});

test("says what keeps the likeliest token what it is, and what that takes", () => {
  const run = { ...plausibleReduction(), rescore: 300, greedyExact: { fallback: 0.0125, rows: 41.6 } };
  const page = wordsOf(renderReductionReport(run));
  expect(page).toContain("by a bound: the likeliest token is the original’s in every context");
  expect(page).toContain(
    "42 rows of E a token in the mean of the unseen text, and all of E in the 1.25% of its contexts",
  );
  expect(page).toContain("where more than 300 tokens could be");
});

test("a head that cannot be kept in its shape has its reason, as text of the page's own", () => {
  const { bytes, ...run } = plausibleReduction();
  const page = renderReductionReport({ ...run, format: "onnx", bytes: { ...bytes, safetensors: undefined } });
  expect(page).toContain(
    "this model has no place for the bias there, but in the kept columns (<code>--no-bias</code>)",
  );
  expectHarmless(page);
});

test("other words for other shares of likeliest tokens that stay", () => {
  const run = plausibleReduction();
  const { fit, check } = run.measures;
  const words = [0.98, 0.95, 0.864, 0.7, 0.5].map((top1) => {
    const page = renderReductionReport({ ...run, measures: { fit, check: { ...check, top1 } } });
    return /<h1>Deleting 30% of the head’s dimensions (.*)<\/h1>/.exec(page)?.[1];
  });
  expect(words).toEqual([
    "hardly changes the output",
    "changes the output a little",
    "changes the output noticeably",
    "changes the output a lot",
    "changes the output beyond recognition",
  ]);
});

test("without curve, texts, times and a budget", () => {
  const { curve: _, encoding: __, generated: ___, milliseconds: ____, budget: _____, ...rest } = plausibleReduction();
  const page = markupOf(renderReductionReport({ ...rest, warnings: [] }));
  expect(page).not.toMatch(/<figure|verified|To know|NaN|undefined/);
});

test("says of MAUVE which two sets of texts it compares", () => {
  const run = plausibleReduction();
  const page = (mauve: number) =>
    wordsOf(renderReductionReport({ ...run, generated: run.generated!.map((texts) => ({ ...texts, mauve })) }));
  expect(page(0.93)).toMatch(
    /the original’s and the reduced model’s0\.930 *the original’s and the original’s, [^0]*0\.950/,
  );
  expect(page(0.93)).toContain("texts are as like the original’s as");
  expect(page(0.5)).toContain("texts are less like the original’s than");
  const few = run.generated!.map((texts) => ({ ...texts, mauve: undefined, mauveOfOriginal: undefined }));
  expect(wordsOf(renderReductionReport({ ...run, generated: few }))).not.toContain("MAUVE");
});
