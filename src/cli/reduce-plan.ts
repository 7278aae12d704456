import { readdir } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { InputError } from "../errors.js";
import type { HeadModel } from "../model/head/head-model.js";
import { checkWritable } from "../node/files/check-writable.js";
import { readReductionPlan } from "../node/save/reduction-plan-folder.js";
import type { Compensation, Metric, Order } from "../reduction/methods/orders.js";
import { reductionPlanFiles } from "../reduction/plan/plan-files.js";
import type { ReductionPlan } from "../reduction/plan/reduction-plan.js";
import { flagOf } from "./options/arguments.js";
import { UsageError } from "./usage-error.js";

/** The arguments of a command that say which dimensions to delete, and how. */
export interface ReductionArguments {
  fraction?: number;
  keep?: number;
  maxKl?: number;
  plan?: string;
  rescore?: number;
  greedyExact?: boolean;
  order: Order;
  compensate: Compensation;
  metric: Metric;
  steps?: number;
  seed: number;
}

const choices = ["rescore", "greedyExact", "order", "compensate", "metric", "steps", "seed"] as const;

/** @param given whether an option stands on the command line @throws UsageError if they contradict one another */
export function checkChoice(args: ReductionArguments, given: (option: keyof ReductionArguments) => boolean): void {
  const { order, compensate } = args;
  const sources = (["fraction", "keep", "maxKl", "plan"] as const).filter((source) => args[source] !== undefined);
  if (sources.length !== 1) {
    throw new UsageError("reduce", "one of --fraction, --keep, --max-kl and --plan is wanted");
  }
  const said = choices.find(given);
  if (args.plan !== undefined && said !== undefined) {
    throw new UsageError(flagOf(said), "contradicts --plan: the plan says how it was made, and is applied as it is");
  }
  if (args.greedyExact && args.rescore === undefined) throw new UsageError("--greedy-exact", "is for --rescore");
  if (args.greedyExact && (order !== "rotation" || compensate === "refine")) {
    throw new UsageError("--greedy-exact", "is for --order rotation, not refined: other previews have no bound");
  }
  if (given("metric") && order !== "rotation") throw new UsageError("--metric", "is for --order rotation");
  if (given("steps") && compensate !== "refine") throw new UsageError("--steps", "is for --compensate refine");
}

/**
 * The plan that `--plan` names: its folder, or the JSON file in it.
 * @throws InputError naming the file and the field that cannot be used on the model
 */
export async function givenPlan(path: string, model: HeadModel): Promise<ReductionPlan> {
  const isFile = basename(path) === reductionPlanFiles.plan;
  return readReductionPlan(isFile ? dirname(path) : path, model);
}

/** The arguments as they would have been when the plan was made. */
export function asPlanned<A extends ReductionArguments>(
  args: A,
  { rescore, greedyExact, order, compensate, metric = args.metric, seed, steps }: ReductionPlan,
): A {
  return { ...args, rescore, greedyExact, order, compensate, metric, seed, steps };
}

/** Fails before the work rather than after it. @throws InputError if a plan lies there already, or none can be written */
export async function checkPlanFolder(folder: string, force = false): Promise<void> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code !== "ENOTDIR") return [];
    throw new InputError(folder, "is a file where a folder is wanted");
  });
  const there = Object.values(reductionPlanFiles).find((name) => names.includes(name));
  if (there !== undefined && !force) throw new InputError(folder, `holds ${there} already`, { remedy: "force" });
  await checkWritable(folder);
}
