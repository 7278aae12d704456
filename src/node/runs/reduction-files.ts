import type { ReductionRun } from "../../reduction/reduction-run.js";
import { renderReductionReport } from "../../report/reduction/reduction-report.js";
import { writeFolderAtomic } from "../files/write-atomic.js";
import { version } from "../version.js";
import type { Asked } from "./run-folder.js";

/** Raised when a field of a reduction's run.json changes its meaning or goes; docs/run-schema.md describes it. */
const schemaVersion = 1;

/** run.json (docs/run-schema.md) and report.html of a reduction, by name. */
export function reductionRunFiles(run: ReductionRun, asked: Asked): (readonly [name: string, contents: string])[] {
  const { model, corpus, seed, threads, seconds, milliseconds, ...results } = run;
  const date = new Date().toISOString();
  const record = {
    schema: "unembed-run",
    schemaVersion,
    kind: "reduce",
    unembed: version,
    ...{ asked, seed, model, corpus, results },
    // The only part, with `asked`, that differs between two runs of the same inputs and seed.
    made: { date, threads, seconds, milliseconds: milliseconds ?? null },
  };
  return [
    ["run.json", `${JSON.stringify(record, undefined, 2)}\n`],
    ["report.html", renderReductionReport(run, { command: asked.command, version, date: date.slice(0, 10) })],
  ];
}

/**
 * Writes run.json and report.html of a reduction into a folder of their own, both or none.
 * @throws InputError if the folder cannot be written
 */
export async function writeReductionRun(folder: string, run: ReductionRun, asked: Asked): Promise<void> {
  await writeFolderAtomic(folder, reductionRunFiles(run, asked));
}
