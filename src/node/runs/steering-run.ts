import { renderSteeringReport } from "../../report/steering/steering-report.js";
import { type SteeringRun, steeringResults } from "../../steering/steering-run.js";
import { version } from "../version.js";
import type { Asked } from "./run-folder.js";

/** Raised when a field of a steering run's run.json changes its meaning or goes; docs/run-schema.md describes it. */
const schemaVersion = 1;

/** run.json (docs/run-schema.md) and report.html of a steering run, by name. */
export function steeringRunFiles(run: SteeringRun, asked: Asked): (readonly [name: string, contents: string])[] {
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
