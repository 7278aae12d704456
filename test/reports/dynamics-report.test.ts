import { expect, test } from "vitest";
import { renderDynamicsReport } from "../../src/report/dynamics/dynamics-report.js";
import { hostileDynamicsPage, hostileDynamicsRun } from "../support/hostile-pages.js";
import { plausibleDynamics } from "../support/plausible-dynamics.js";
import { expectHarmless, markupOf } from "../support/report-page.js";

test("the same run gives the same page, which loads nothing and holds no markup of its input", async () => {
  const run = hostileDynamicsRun();
  const page = await hostileDynamicsPage(run);
  expect(await hostileDynamicsPage(run)).toBe(page);
  expectHarmless(page);
});

test("says in words what was found, also without the other parameters, a log or a tokenizer", async () => {
  const run = await plausibleDynamics();
  const page = markupOf(renderDynamicsReport(run));
  expect(page).toMatch(
    /<h1>Token frequency enters the output embedding [\d.]+ times earlier than the layers get half-way</,
  );
  const { convergence: _, log: __, tokens: ___, ...rest } = run;
  const shares = run.onset.shares;
  const without = { medianLayerStep: null, timesEarlier: null, layers: [] };
  const onset = { ...run.onset, shares: { 50: { ...shares[50], ...without }, 90: { ...shares[90], ...without } } };
  const bare = markupOf(
    renderDynamicsReport({ ...rest, convergence: undefined, log: undefined, tokens: undefined, onset }),
  );
  expect(bare).toMatch(/<h1>Half of the readout of token frequency is there at step [\d.]+</);
  expect(bare).not.toContain("movement-figure");
  expect(bare).not.toContain('id="loss-figure"');
  expect(bare).toContain("There was no tokenizer");
});
