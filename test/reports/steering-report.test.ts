import { expect, test } from "vitest";
import { renderSteeringReport } from "../../src/report/steering/steering-report.js";
import { steeringResults } from "../../src/steering/steering-run.js";
import { hostileSteeringPage } from "../support/hostile-pages.js";
import { plausibleExperiments, plausibleSteering } from "../support/plausible-steering.js";
import { expectHarmless, markupOf } from "../support/report-page.js";

test("the same run gives the same page, which loads nothing and holds no markup of its input", () => {
  const page = hostileSteeringPage();
  expect(hostileSteeringPage()).toBe(page);
  expectHarmless(page);
});

test("says in words what was done, what it cost, and what could not be reached", () => {
  const page = markupOf(renderSteeringReport(plausibleSteering([" sea", " the"], 2)));
  const title = /<h1>(.*?)<\/h1>/s.exec(page)![1]!.replace(/<[^>]*>/g, "");
  expect(title).toBe("␣sea 2.0× rarer and  the 2 tokens 3.0× likelier, inside the weights");
  expect(page).toContain("the likeliest next token is the same in 96.0% of contexts");
  expect(page).toContain("perplexity goes from 76.50 to 77.20 (+0.915%)");
  expect(page).not.toContain("not reached");
  const missed = markupOf(renderSteeringReport(plausibleSteering(undefined, 3)));
  expect(missed).toContain("Of the 3 targets 1 could not be reached");
  expect(missed).toContain("not reached: no length of the edit comes nearer");
});

test("says what more text would give where tokens are rare in the fitting text", () => {
  const run = plausibleSteering([" sea", " the"], 2);
  const { fit } = run.edit!.check;
  const fittedOn = (contexts: number) => {
    const check = { fit: { ...fit!, collateral: { ...fit!.collateral, contexts } } };
    return markupOf(renderSteeringReport({ ...run, edit: { ...run.edit!, check } }));
  };
  expect(fittedOn(19_000)).toContain(
    "2 edits are of tokens that stand in the 19,000 contexts fitted on fewer than 20 times",
  );
  expect(fittedOn(21_000)).not.toContain("more fitting text");
});

test("a thousand edits: the page shows some, run.json all", () => {
  const run = plausibleSteering(undefined, 1000);
  const page = renderSteeringReport(run);
  expect(page).toContain("<h1>1,000 edits of token probability, inside the weights</h1>");
  expect(page).toContain("800 more edits are in run.json");
  expect(page.length).toBeLessThan(1.5e6);
  const { edit } = steeringResults(run);
  expect(edit!.edits).toHaveLength(1000);
  expect(edit!.edits[7]!.measured.inDomain!.scale).toBe(run.edit!.check.inDomain!.groups[7]!.scale);
});

test("without texts to check on, without generated text", () => {
  const run = plausibleSteering();
  const page = markupOf(renderSteeringReport({ ...run, generated: undefined, edit: { ...run.edit!, check: {} } }));
  expect(page).toContain("What else changed was not measured.");
  expect(page).not.toContain("<mark>");
});

test("experiments without a model to write have a page of their own", () => {
  const { edit: _, generated: __, ...rest } = plausibleSteering();
  const run = { ...rest, experiments: plausibleExperiments([" sea"]) };
  const page = markupOf(renderSteeringReport(run));
  expect(page).toMatch(
    /<h1>Random tokens, made 0\.1 to 10 times as likely: off by [\d.]+% on unseen text, a true logit bias by [\d.]+%</,
  );
  expect(page).toContain("90 edits of single rows");
  expect(page).not.toContain('id="edits"');
  expect(page).not.toMatch(/NaN|Infinity|undefined|\[object/);
  const { summary, groups } = steeringResults(run).experiments!;
  expect(groups).toHaveLength(6);
  expect(summary.scales).toHaveLength(6);
  expect(summary.scales![0]).toMatchObject({ band: 0, method: "nearest", trials: 4 });
  expect(summary.sizes!.map(({ size, chosen }) => [size, chosen])).toEqual([
    [1e-6, false],
    [1e-4, true],
    [1e-2, false],
  ]);
  expect(summary.tokenCounts!.map(({ contexts }) => contexts)).toEqual([500, 1000, 2000]);
});

test("counts the ways that it sets beside one another", () => {
  const { edit: _, ...run } = plausibleSteering();
  const experiments = { ...plausibleExperiments(), scales: undefined };
  const titleWith = (methods: NonNullable<typeof experiments.methods>) =>
    /<h1>(.*?)<\/h1>/s.exec(
      renderSteeringReport({ ...run, edit: undefined, experiments: { ...experiments, methods } }),
    )![1];
  const methods = experiments.methods!;
  const ways = "ways to write a token’s probability into its row, beside one another";
  expect(titleWith(methods)).toBe(`Five ${ways}`);
  const paper = methods.filter(({ method }) => method === "encoding").map((one) => ({ ...one, calibrated: false }));
  expect(titleWith([...methods, ...paper])).toBe(`Six ${ways}`);
  expect(titleWith(methods.filter(({ method }) => method === "nearest"))).toBe(
    "One way to write a token’s probability into its row",
  );
});

test("the worst case of edits that were probed: bounds, and contexts that no text holds", () => {
  const run = plausibleSteering([" sea", " the"], 2);
  const page = markupOf(renderSteeringReport(run));
  expect(page).toContain('id="probes"');
  expect(page).toContain("1,000 contexts were made that no text holds");
  const { edit } = run;
  const groups = edit!.solution.groups.map((group) => ({ ...group, bound: { probability: 4e-4, proven: false } }));
  const banned = { ...run, edit: { ...edit!, solution: { ...edit!.solution, groups } } };
  expect(markupOf(renderSteeringReport(banned))).toContain("(measured)");
});
