import { join } from "node:path";
import { Command, Option } from "commander";
import { InputError } from "../../errors.js";
import type { Model } from "../../model/model.js";
import { whileLocked } from "../../node/files/path-lock.js";
import { rowFile } from "../../node/files/row-file.js";
import type { HubOptions } from "../../node/hub/repository.js";
import { defaultModel, loadModel } from "../../node/load-model.js";
import { inRunFolder } from "../../node/runs/folder/claim-folder.js";
import { saveReduction } from "../../node/runs/saved-reduction.js";
import { writeReductionRun } from "../../node/runs/write/reduction-files.js";
import type { Asked } from "../../node/runs/write/run-record.js";
import { writeReductionPlan } from "../../node/save/reduction-plan-folder.js";
import { checkOut } from "../../node/save/save-model.js";
import { compensations, metrics, orders } from "../../reduction/methods/orders.js";
import { type ReductionPlan, usualCompensation, usualMetric } from "../../reduction/plan/reduction-plan.js";
import { summarizeReduction } from "../../reduction/summary.js";
import { NoPlaceForBias } from "../../reduction/write/exact-head.js";
import type { ReduceOptions, ReductionAmount } from "../../runs/reduction/reduce-options.js";
import { reduceRun } from "../../runs/reduction/reduce-run.js";
import { askedCommand, folderName } from "../options/arguments.js";
import {
  corpusOption,
  forceOption,
  outOption,
  type RunArguments,
  runOptions,
  seedOption,
} from "../options/common-options.js";
import { defaultName } from "../options/default-folder.js";
import { engineOptions } from "../options/engine-options.js";
import { hubOptions } from "../options/hub-options.js";
import { type MemoryArguments, memoryOptions, memoryUse } from "../options/memory-options.js";
import {
  checkModelFolder,
  dryRunOptions,
  formatOption,
  type ModelFolderArguments,
} from "../options/model-folder-options.js";
import { fraction, positiveInteger, positiveNumber } from "../options/numbers.js";
import { textOptions } from "../options/text-options.js";
import { checkReadOnce, openTextPair, type TextPairArguments, textPairOptions } from "../options/text-pair-options.js";
import { InterruptedUnwritten } from "../progress/interrupt.js";
import { runLine } from "../progress/run-line.js";
import { asPlanned, checkChoice, checkPlanFolder, givenPlan, type ReductionArguments } from "../reduce-plan.js";
import { reductionTable } from "../tables/reduction-table.js";
import { UsageError } from "../usage-error.js";

interface ReduceArguments
  extends TextPairArguments,
    ReductionArguments,
    ModelFolderArguments,
    MemoryArguments,
    RunArguments {
  curve?: boolean;
  bias: boolean;
}

const examples = `
Examples:
  unembed reduce --fraction 0.3 --out smaller
  unembed reduce ./my-model --max-kl 0.01 --compensate refine \\
      --corpus 'texts/*.txt' --check other.txt --dry-run
  unembed reduce ./my-model --keep 512 --format onnx --out for-the-browser
  unembed reduce --fraction 0.3 --order saliency --compensate none --curve \\
      --dry-run                                 the paper's own, and its curve
  unembed reduce --keep 128 --compensate refine --dry-run --save-plan half
  unembed reduce --plan half --format onnx --out for-the-browser`;

/** `unembed reduce`. */
export function reduceCommand(signal: AbortSignal): Command {
  const command = new Command("reduce")
    .summary("delete the dimensions of the head that the output does not need")
    .description(
      "Deletes dimensions (or directions) of the output embedding, makes up for what they added, writes the model " +
        "to a new folder, reads it back and measures on other text what was lost and what was gained.",
    )
    .argument("[model]", "model folder, hub id (org/name), or tiny-books (embedded)", defaultModel)
    .option("--fraction <share>", "share of the dimensions to delete, from 0 to below 1", fraction)
    .option("--keep <k>", "dimensions to keep", positiveInteger)
    .option("--max-kl <nats>", "delete as many as a mean KL of at most this allows", positiveNumber)
    .option("--rescore <m>", "exact logits for the m likeliest tokens, on top of what is kept (onnx)", positiveInteger)
    .option("--greedy-exact", "with --rescore: the likeliest token is always the original's (all of E where in doubt)")
    .option("--plan <folder>", "what --save-plan kept, for this or another head of the same size")
    .addOption(
      new Option("--order <name>", "which go first; rotation: directions instead of dimensions; gates: learnt")
        .choices(orders)
        .default("rotation"),
    )
    .addOption(
      new Option("--compensate <name>", "how what is deleted is made up for; refine: by minimising KL itself")
        .choices(compensations)
        .default("least-squares", "least-squares, with --rescore refine"),
    )
    .addOption(
      new Option("--metric <name>", "with rotation: what matters")
        .choices(metrics)
        .default("fisher", "fisher, with --greedy-exact logits"),
    )
    .option("--steps <n>", "with refine: steps of the optimisation", positiveInteger)
    .addOption(seedOption("of the random order, of gates and of refine"))
    .addOption(corpusOption("text to fit to (default: embedded text)"));
  textPairOptions(textOptions(command), {
    ...{ tokens: "stop fitting after this many tokens", usualTokens: 200_000 },
    check: "unseen text to measure on (default: embedded text)",
    ...{ checkTokens: "tokens that are measured on", usualCheckTokens: 20_000 },
  })
    .option("--curve", "also measure other shares, orders and compensations; with refine, each share is refined")
    .addOption(formatOption("safetensors keeps the head's shape; onnx: the smaller, faster head"))
    .option("--no-bias", "where the model has no place for a bias: put it into the kept columns, as near as can be")
    .addOption(outOption("where to write the reduced model"))
    .option("--save-plan <folder>", "where to keep what was chosen, for --plan; also of a dry run")
    .addOption(forceOption("replace the folder if it is there"));
  return runOptions(memoryOptions(dryRunOptions(command, " (default with --curve: runs/reduce-<model>-...)")))
    .addHelpText("after", examples)
    .action((name: string, args: ReduceArguments, command: Command) => {
      const given = (option: string) => command.getOptionValueSource(option) === "cli";
      const compensate = given("compensate") ? args.compensate : usualCompensation(args.rescore, args.greedyExact);
      const metric = given("metric") ? args.metric : usualMetric(args.greedyExact);
      const wanted = { ...args, compensate, metric };
      checkOptions(wanted, given);
      return reduceInto(name, wanted, command, signal);
    });
}

/** @param given whether an option stands on the command line @throws UsageError if they contradict one another */
function checkOptions(args: ReduceArguments, given: (option: string) => boolean): void {
  const { format, bias, dryRun, check, corpus, curve } = args;
  checkChoice(args, given);
  checkReadOnce([check, curve ? check : corpus]);
  checkModelFolder(args, "those hold no factored head");
  if (args.rescore !== undefined && format === "safetensors" && !dryRun) {
    throw new UsageError("--rescore", "is for --format onnx: safetensors has no place for a head of two stages");
  }
  if (!bias && format === "onnx") {
    throw new UsageError("--no-bias", "is for --format safetensors: the factored head of --format onnx has a bias");
  }
}

/** The reduction, while nobody else writes where it writes. */
function reduceInto(name: string, args: ReduceArguments, command: Command, signal: AbortSignal): Promise<void> {
  const { out, dryRun, force } = args;
  const asked = { command: askedCommand(command), arguments: { model: name, ...args } };
  const report = reportFolder(name, args, command);
  const run = () => runReduce(name, args, { asked, report }, signal);
  if (report !== undefined) return inRunFolder(report, { kind: "reduce", ...asked, force }, run);
  return dryRun ? run() : whileLocked(out!, run);
}

async function runReduce(
  name: string,
  asked: ReduceArguments,
  { asked: how, report }: { asked: Asked; report: string | undefined },
  signal: AbortSignal,
): Promise<void> {
  const line = runLine(process.stderr, asked);
  const hub = hubOptions(line, signal);
  const { out, savePlan, dryRun, force } = asked;
  let model: Model | undefined;
  try {
    model = await loadModel(name, {
      ...engineOptions(asked, line),
      tokenizer: asked.tokenizer,
      ...hub,
      ...memoryUse(asked, line),
    });
    const plan = asked.plan === undefined ? undefined : await givenPlan(asked.plan, model);
    const args = plan ? asPlanned(asked, plan) : asked;
    if (savePlan !== undefined) await checkPlanFolder(savePlan, force);
    if (dryRun && out !== undefined) await checkOut(model, out, force);
    const options = { ...(await reduceOptions(model, args, plan, hub)), signal, onEvent: line.onEvent };
    const { run, plan: chosen } = dryRun
      ? await reduceRun(model, { ...options, store: rowFile })
      : await saveReduction(model, out!, { ...options, force, asked: how });
    line.stop();
    if (report !== undefined) await writeReductionRun(report, run, how);
    if (savePlan !== undefined) await writeReductionPlan(chosen, savePlan);
    const written = { out: dryRun ? undefined : out, report, plan: savePlan };
    if (args.json) console.log(JSON.stringify({ ...summarizeReduction(run, written.out), ...(report && { report }) }));
    else if (!args.quiet) console.log(reductionTable(run, written));
  } catch (error) {
    throw signal.aborted ? new InterruptedUnwritten() : namingFlags(error);
  } finally {
    line.stop();
    await model?.close();
  }
}

/** What the library refuses, with the flags that it was asked by. */
function namingFlags(error: unknown): unknown {
  if (error instanceof NoPlaceForBias) {
    const problem = `${error.problem} (--no-bias, --compensate none, --format onnx)`;
    return new InputError(error.place, problem, { cause: error });
  }
  return error;
}

async function reduceOptions(
  model: Model,
  args: ReduceArguments,
  plan: ReductionPlan | undefined,
  hub: HubOptions,
): Promise<ReduceOptions> {
  const { rescore, greedyExact, order, compensate, metric, steps, seed } = args;
  const { curve, format, bias } = args;
  const { corpus: fit, ...texts } = await openTextPair(model, args, hub);
  return {
    ...{ fit, ...texts },
    amount: amountOf(args, plan),
    ...{ rescore, greedyExact, order, compensate, metric, steps, seed, curve, format, bias },
  };
}

/** One of them is given: `checkChoice`. */
function amountOf({ fraction, keep, maxKl }: ReduceArguments, plan: ReductionPlan | undefined): ReductionAmount {
  if (plan !== undefined) return { plan };
  if (fraction !== undefined) return { fraction };
  return keep !== undefined ? { keep } : { maxKl: maxKl! };
}

/** Where the page of a dry run goes: where it was asked for, and a curve's, which takes long, in any case. */
function reportFolder(name: string, { dryRun, report, curve }: ReduceArguments, command: Command): string | undefined {
  if (!dryRun) return undefined;
  return report ?? (curve ? join("runs", defaultName(command, folderName(name), name)) : undefined);
}
