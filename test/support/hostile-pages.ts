import { renderComparisonReport } from "../../src/report/comparison/comparison-report.js";
import { renderDynamicsReport } from "../../src/report/dynamics/dynamics-report.js";
import { renderReductionReport } from "../../src/report/reduction/reduction-report.js";
import { renderSteeringReport } from "../../src/report/steering/steering-report.js";
import { plausibleComparison } from "./plausible-comparison.js";
import { plausibleDynamics } from "./plausible-dynamics.js";
import { plausibleReduction } from "./plausible-reduction.js";
import { plausibleExperiments, plausibleSteering } from "./plausible-steering.js";
import { HOSTILE } from "./report-page.js";

// Reports of runs whose every text would do harm if it became more than text.

export function hostileComparisonPage(): string {
  const comparison = plausibleComparison(Array.from({ length: 500 }, (_, id) => HOSTILE + id));
  const model = { name: HOSTILE, modelType: HOSTILE, rows: 500, hiddenSize: 16, dtype: HOSTILE };
  const files = [{ name: HOSTILE, bytes: 1 }];
  const changed = { models: { a: model, b: model }, corpus: { ...comparison.corpus, files } };
  return renderComparisonReport({ ...comparison, ...changed }, { command: `unembed compare ${HOSTILE}` });
}

export async function hostileDynamicsRun() {
  const run = await plausibleDynamics(Array.from({ length: 300 }, (_, id) => HOSTILE + id));
  const unusable = [{ step: 3, name: HOSTILE, problem: HOSTILE }];
  return { ...run, model: { ...run.model, name: HOSTILE }, unusable };
}

/** @param run one of hostileDynamicsRun; default: another, whose run took another time */
export async function hostileDynamicsPage(run = hostileDynamicsRun()): Promise<string> {
  return renderDynamicsReport(await run, { command: `unembed dynamics ${HOSTILE}` });
}

export function hostileReductionPage(): string {
  return renderReductionReport(plausibleReduction(HOSTILE), { command: `unembed reduce ${HOSTILE}` });
}

export function hostileSteeringPage(): string {
  const run = plausibleSteering([HOSTILE]);
  const experiments = plausibleExperiments([HOSTILE]);
  const changed = { experiments, model: { ...run.model, name: HOSTILE }, edit: { ...run.edit!, out: HOSTILE } };
  return renderSteeringReport({ ...run, ...changed }, { command: `unembed steer ${HOSTILE}` });
}
