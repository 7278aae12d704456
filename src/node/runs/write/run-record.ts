import type { Provenance } from "../../../report/page/provenance-section.js";
import { version } from "../../version.js";

/** Raised when a field of run.json changes its meaning or goes, of whatever kind of run; docs/run-schema.md describes it. */
const schemaVersion = 1;
export const runSchema = "unembed-run";

/** The command, or what stands for it in the library. */
export type RunKind = "analyze" | "compare" | "dynamics" | "steer" | "reduce" | "trim";

/** What was asked for, as run.json records it. */
export interface Asked {
  /** The command line, or the library call. */
  command: string;
  arguments: Record<string, unknown>;
}

/**
 * run.json (docs/run-schema.md), by name.
 * @param contents what was read and found: `results` and what goes before them
 * @param made the only part, with `asked`, that may differ between two runs of the same inputs and seed
 */
export function runRecord(
  kind: RunKind,
  asked: Asked,
  contents: Readonly<Record<string, unknown>>,
  made: Readonly<Record<string, unknown>>,
  date = new Date(),
): { readonly file: readonly [name: string, contents: string]; readonly provenance: Provenance } {
  const shown = date.toISOString();
  const record = {
    schema: runSchema,
    schemaVersion,
    kind,
    unembed: version,
    asked,
    ...contents,
    made: { date: shown, ...made },
  };
  return {
    file: ["run.json", `${JSON.stringify(record, undefined, 2)}\n`],
    provenance: { command: asked.command, version, date: shown.slice(0, 10) },
  };
}
