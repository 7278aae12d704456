import { renderSteeringReport } from "../../report/steering/steering-report.js";
import { savedPlan } from "../../steering/plan/saved-plan.js";
import { type EditedRun, type SteeringRun, steeringResults } from "../../steering/steering-run.js";
import { summarizeSteering } from "../../steering/summary.js";
import { writeFolderAtomic } from "../files/write-atomic.js";
import { version } from "../version.js";
import type { Asked } from "./run-folder.js";

/** Raised when a field of a steering run's run.json changes its meaning or goes; docs/run-schema.md describes it. */
const schemaVersion = 1;

type NamedTexts = readonly (readonly [name: string, contents: string])[];

/**
 * Writes run.json (docs/run-schema.md) and report.html of a steering run, all or none.
 * @throws InputError if the folder cannot be written
 */
export async function writeSteeringRun(folder: string, run: SteeringRun, asked: Asked): Promise<void> {
  await writeFolderAtomic(folder, steeringRunFiles(run, asked));
}

/** What stands beside an edited model: the plan, to be applied again, run.json and report.html. */
export function editedRunFiles(run: EditedRun, asked: Asked): NamedTexts {
  const record = { unembed: version, plan: savedPlan(run.edit.plan), measured: summarizeSteering(run.edit) };
  return [["unembed.json", `${JSON.stringify(record, undefined, 2)}\n`], ...steeringRunFiles(run, asked)];
}

function steeringRunFiles(run: SteeringRun, asked: Asked): NamedTexts {
  const date = new Date().toISOString();
  const record = {
    schema: "unembed-run",
    schemaVersion,
    kind: "steer",
    unembed: version,
    asked,
    seed: run.seed,
    model: run.model,
    texts: run.texts,
    contextLength: run.contextLength,
    results: steeringResults(run),
    // The only part, with `asked`, that differs between two runs of the same inputs and seed.
    made: { date, threads: run.threads, seconds: run.seconds },
  };
  return [
    ["run.json", `${JSON.stringify(record, undefined, 2)}\n`],
    ["report.html", renderSteeringReport(run, { command: asked.command, version, date: date.slice(0, 10) })],
  ];
}
