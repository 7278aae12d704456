import { renderTrimReport } from "../../../report/trimming/trim-report.js";
import type { TrimRun } from "../../../trimming/trim-run.js";
import { writeFolderAtomic } from "../../files/write-atomic.js";
import { type Asked, runRecord } from "./run-record.js";

/** run.json (docs/run-schema.md) and report.html of a trimming, by name. */
export function trimRunFiles(run: TrimRun, asked: Asked): (readonly [name: string, contents: string])[] {
  const { model, corpus, threads, seconds, milliseconds, ...results } = run;
  const { file, provenance } = runRecord("trim", asked, { model, corpus, results }, { threads, seconds, milliseconds });
  return [file, ["report.html", renderTrimReport(run, provenance)]];
}

/**
 * Writes run.json and report.html of a trimming into a folder of their own, both or none.
 * @throws InputError if the folder cannot be written
 */
export async function writeTrimRun(folder: string, run: TrimRun, asked: Asked): Promise<void> {
  await writeFolderAtomic(folder, trimRunFiles(run, asked));
}
