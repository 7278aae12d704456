import { join } from "node:path";
import type { HeadModel } from "../../model/head/head-model.js";
import { parseReductionPlan, reductionPlanFiles, serializeReductionPlan } from "../../reduction/plan/plan-files.js";
import type { ReductionPlan } from "../../reduction/plan/reduction-plan.js";
import { openFileSource } from "../files/file-source.js";
import { writeFolderAtomic } from "../files/write-atomic.js";

/**
 * Keeps a plan as `reduction.json` and `reduction.safetensors` in a folder.
 * @throws InputError if they cannot be written
 */
export async function writeReductionPlan(plan: ReductionPlan, folder: string): Promise<void> {
  const { plan: json, arrays } = serializeReductionPlan(plan);
  await writeFolderAtomic(folder, [
    [reductionPlanFiles.plan, json],
    [reductionPlanFiles.arrays, arrays],
  ]);
}

/**
 * A plan that was kept, for the same model or another one whose head has the same V and d.
 * @throws InputError naming the file and the field that cannot be used
 */
export async function readReductionPlan(folder: string, model: HeadModel): Promise<ReductionPlan> {
  const plan = await openFileSource(join(folder, reductionPlanFiles.plan));
  return parseReductionPlan(plan, await openFileSource(join(folder, reductionPlanFiles.arrays)), model);
}
