import type { OriginalModel } from "../../../report/card/model-card.js";
import { steeringCard } from "../../../report/card/steering-card.js";
import { renderSteeringReport } from "../../../report/steering/steering-report.js";
import { savedPlan } from "../../../steering/plan/saved-plan.js";
import { type EditedRun, type SteeringRun, steeringResults } from "../../../steering/steering-run.js";
import { summarizeSteering } from "../../../steering/summary.js";
import { writeFolderAtomic } from "../../files/write-atomic.js";
import { cardFile } from "../../save/card-file.js";
import { version } from "../../version.js";
import { type Asked, runRecord } from "./run-record.js";

type NamedTexts = readonly (readonly [name: string, contents: string])[];

/**
 * Writes run.json (docs/run-schema.md) and report.html of a steering run, all or none.
 * @throws InputError if the folder cannot be written
 */
export async function writeSteeringRun(folder: string, run: SteeringRun, asked: Asked): Promise<void> {
  await writeFolderAtomic(folder, steeringRunFiles(run, asked));
}

/** What stands beside an edited model: the plan, to be applied again, run.json, report.html and the model card. */
export function editedRunFiles(run: EditedRun, asked: Asked, original: OriginalModel): NamedTexts {
  const record = { unembed: version, plan: savedPlan(run.edit.plan), measured: summarizeSteering(run.edit) };
  return [
    ["unembed.json", `${JSON.stringify(record, undefined, 2)}\n`],
    [cardFile, steeringCard(run, original, version)],
    ...steeringRunFiles(run, asked),
  ];
}

function steeringRunFiles(run: SteeringRun, asked: Asked): NamedTexts {
  const { seed, model, texts, contextLength, beginOfText, threads, seconds } = run;
  const contents = { seed, model, texts, contextLength, beginOfText, results: steeringResults(run) };
  const { file, provenance } = runRecord("steer", asked, contents, { threads, seconds });
  return [file, ["report.html", renderSteeringReport(run, provenance)]];
}
