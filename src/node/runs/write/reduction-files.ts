import type { ReductionRun } from "../../../reduction/reduction-run.js";
import { renderReductionReport } from "../../../report/reduction/reduction-report.js";
import { writeFolderAtomic } from "../../files/write-atomic.js";
import { type Asked, runRecord } from "./run-record.js";

/** run.json (docs/run-schema.md) and report.html of a reduction, by name. */
export function reductionRunFiles(run: ReductionRun, asked: Asked): (readonly [name: string, contents: string])[] {
  const { model, corpus, seed, threads, seconds, milliseconds, ...results } = run;
  const made = { threads, seconds, milliseconds: milliseconds ?? null };
  const { file, provenance } = runRecord("reduce", asked, { seed, model, corpus, results }, made);
  return [file, ["report.html", renderReductionReport(run, provenance)]];
}

/**
 * Writes run.json and report.html of a reduction into a folder of their own, both or none.
 * @throws InputError if the folder cannot be written
 */
export async function writeReductionRun(folder: string, run: ReductionRun, asked: Asked): Promise<void> {
  await writeFolderAtomic(folder, reductionRunFiles(run, asked));
}
