import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import { requirePlace } from "../../export/edited-gguf.js";
import { type EditedFormat, editedFormats } from "../../export/model-formats.js";
import { ggufFilesOf } from "../../model/gguf/gguf-folder.js";
import { type HeadType, headTypes } from "../../model/head/retyped-head.js";
import type { Model } from "../../model/model.js";
import { whileLocked } from "../../node/files/path-lock.js";
import { isGgufName } from "../../node/hub/model-folder.js";
import { defaultModel, loadModel } from "../../node/load-model.js";
import { inRunFolder } from "../../node/runs/folder/claim-folder.js";
import { defaultFormat, saveSteering, saveTrials } from "../../node/runs/saved-steering.js";
import { openSteerTexts } from "../../node/runs/steer-texts.js";
import type { Asked } from "../../node/runs/write/run-record.js";
import { checkGgufOut, reportBeside } from "../../node/save/save-gguf.js";
import { checkOut } from "../../node/save/save-model.js";
import type { SteerRunOptions } from "../../runs/steering/steer-options.js";
import { isMet } from "../../steering/how-it-holds.js";
import { editWay } from "../../steering/plan/edit-plan.js";
import { methods } from "../../steering/plan/method.js";
import { savedPlan } from "../../steering/plan/saved-plan.js";
import type { EditedRun, SteeringRun } from "../../steering/steering-run.js";
import { summarizeSteering } from "../../steering/summary.js";
import { summarizeExperiments } from "../../steering/trials/experiment-summary.js";
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
import {
  type GeneratedTextArguments,
  generatedTextOptions,
  textsToGenerate,
} from "../options/generated-text-options.js";
import { hubOptions } from "../options/hub-options.js";
import { type MemoryArguments, memoryOptions, memoryUse } from "../options/memory-options.js";
import { positiveInteger, positiveNumber } from "../options/numbers.js";
import { checkPlanOptions, type PlanArguments, planOf } from "../options/plan-options.js";
import { readingOf, textOptions } from "../options/text-options.js";
import { type TextPairArguments, textPairOptions, textPairReading } from "../options/text-pair-options.js";
import { type TrialArguments, trialOptions, trialsOf } from "../options/trial-options.js";
import { InterruptedUnwritten } from "../progress/interrupt.js";
import { runLine } from "../progress/run-line.js";
import { closingLines, experimentLines } from "../tables/experiments-table.js";
import { generatedTextTable } from "../tables/generated-texts-table.js";
import { matchedLines } from "../tables/matched-tokens.js";
import { steeringTable } from "../tables/steering-table.js";
import { TargetMissed } from "../target-missed.js";
import { UsageError } from "../usage-error.js";

interface SteerArguments
  extends PlanArguments,
    TextPairArguments,
    TrialArguments,
    GeneratedTextArguments,
    MemoryArguments,
    RunArguments {
  report?: string;
  seed: number;
  format?: EditedFormat;
  headType?: HeadType;
  keepTied?: boolean;
  bound?: number;
  probes?: number;
  allowUnsafe?: boolean;
  out?: string;
  force?: boolean;
  dryRun?: boolean;
}

const examples = `
A TOKEN is its text (" the", with its space; quotes and \\n are read), id:262,
/regex/u, @forms:lord, @emoji, @script:Han or @file:list.txt; @word:Voldemort is
a word of several tokens. A SPEC is x0.5 or x3 (a factor
on its mean probability), +2 or -2 (log-odds), p=0.001, or ban.

Examples:
  unembed steer --edit ' the=x0.5' --edit ' sea=x3' --out less-the
  unembed steer ./my-model --edit '@emoji=ban' --corpus 'texts/*.txt' --dry-run
  unembed steer ./my-model --edit '/^ [Dd]el/u=x0.2' --each --corpus a.txt \\
      --check b.txt c.txt --out edited
  unembed steer --edit ' the=x0.5' --format onnx --out for-the-browser
  unembed steer model-Q4_K_M.gguf --edit ' the=ban' --out edited.gguf
  unembed steer ./my-model --sweep 0.01..100
      how far any token can be steered; writes no model
  unembed steer ./other-model --plan edited/unembed.json --out other-edited`;

/** `2,3`, or one after the other. */
const pieceNumbers = (value: string, others: number[] = []): number[] => [
  ...others,
  ...value.split(",").map(positiveInteger),
];

/** `unembed steer`. */
export function steerCommand(signal: AbortSignal): Command {
  const command = new Command("steer")
    .summary("make tokens rarer or likelier inside the weights")
    .description(
      "Edits rows of the output embedding so that tokens get the mean probability that is asked for, " +
        "writes the model to a new folder, reads it back and measures on other text what that did.",
    )
    .argument("[model]", "model folder, hub id (org/name), or tiny-books (embedded)", defaultModel)
    .option("--edit <token=spec...>", "what to change")
    .option("--edits <file>", "the same from a JSON or YAML file: a list of {token, spec}, or SPECs by TOKEN")
    .option("--plan <file>", "the edits of an earlier run: its unembed.json, or a plan alone")
    .option("--each", "a target for every token of a set, instead of one for the set")
    .option(
      "--piece <numbers>",
      "of @word: the pieces that are edited, from 1 (default: the one that tells most)",
      pieceNumbers,
    )
    .addOption(new Option("--method <name>", "how the edit is found").choices(methods).default("nearest"))
    .option(
      "--size <lambda>",
      "how much the size of the edit counts, with nearest and constant (default: 1e-4, less where a target needs it)",
      positiveNumber,
    )
    .option("--salient <k>", "with --method salient: how many dimensions", positiveInteger)
    .option("--exact", "with --method constant: the direction that is exact in models with a LayerNorm")
    .option("--calibrate", "solve the lengths so that the targets hold on the fitting text", true)
    .option("--no-calibrate", "leave the lengths as the method gives them")
    .option("--guard", "with nearest: stay near the logit bias also after tokens that the fitting text lacks", true)
    .option("--no-guard", "fit to the text alone")
    .option("--bound <p>", "of bans: the largest probability in any context (default: 5e-4, or 4 / V)", positiveNumber)
    .option(
      "--probes <n>",
      "contexts that no text holds, to try edits in: about so many (default: 20480)",
      positiveInteger,
    )
    .option("--allow-unsafe", "keep edits that make tokens likely in some context though they are to become rarer")
    .addOption(corpusOption("text that the targets hold on (default: embedded text)"));
  textPairOptions(trialOptions(generatedTextOptions(textOptions(command))), {
    ...{ tokens: "stop fitting after this many tokens", usualTokens: 40_000 },
    check: "unseen text: the first of the same kind, the others of another (default: embedded)",
    ...{ checkTokens: "tokens of each text that is checked on", usualCheckTokens: 10_000 },
  })
    .addOption(seedOption("of the intervals and of tokens drawn at random"))
    .addOption(outOption("where to write the edited model"))
    .addOption(
      new Option(
        "--format <name>",
        "default: safetensors, of GGUF gguf; onnx: for onnxruntime and transformers.js",
      ).choices(editedFormats),
    )
    .addOption(
      new Option("--head-type <type>", "of GGUF: number type of the head (default: its own)").choices(headTypes),
    )
    .option("--keep-tied", "of GGUF: change a tied input embedding with the head; reading changes too")
    .addOption(forceOption("replace the folder if it is there"))
    .option("--dry-run", "list what matched and stop");
  return runOptions(memoryOptions(command))
    .addHelpText("after", examples)
    .action((name: string, args: SteerArguments, command: Command) => {
      const given = (option: string) => command.getOptionValueSource(option) === "cli";
      checkOptions(name, args, given);
      const asked = { command: askedCommand(command), arguments: { model: name, ...args } };
      const { out, dryRun, force } = args;
      const folder = out ?? args.report ?? join("runs", defaultName(command, folderName(name), name));
      const run = () => runSteer(name, folder, asked, args, given, signal);
      if (dryRun) return run();
      return out === undefined
        ? inRunFolder(resolve(folder), { kind: "steer", ...asked, force }, run)
        : whileLocked(out, run);
    });
}

/** @param given whether an option stands on the command line @throws UsageError if they contradict one another */
function checkOptions(name: string, args: SteerArguments, given: (option: string) => boolean): void {
  const { out, dryRun = false } = args;
  const trialsOnly = out === undefined && !dryRun && trialsOf(args) !== undefined;
  if (out === undefined && !dryRun && !trialsOnly) {
    throw new UsageError("--out", "is missing: where to write (or --dry-run, or an experiment like --sweep)");
  }
  checkPlanOptions(args, given, !trialsOnly);
  if (args.report !== undefined && !trialsOnly && !isGgufName(name)) {
    const otherwise = "beside a model, the report is in its folder";
    throw new UsageError("--report", `is for experiments without --out, and for GGUF files: ${otherwise}`);
  }
  for (const option of ["corpus", "check"] as const) {
    if (!args[option]?.includes("-")) continue;
    const reason = "- can be read only once, and this text is read for more than one thing: give a file";
    throw new UsageError(`--${option}`, reason);
  }
}

/** @throws UsageError if an option is for another format than what is written */
function checkFormat(model: Model, format: EditedFormat, { out, report, headType, keepTied }: SteerArguments): void {
  const isGguf = ggufFilesOf(model.folder) !== undefined;
  if (format === "gguf" && !isGguf) throw new UsageError("--format", "gguf is for models that come as a GGUF file");
  if (format === "gguf") {
    if (keepTied && headType) throw new UsageError("--head-type", "is not for an input embedding that stays tied");
    return;
  }
  if (headType !== undefined) throw new UsageError("--head-type", "is for GGUF files");
  if (keepTied) throw new UsageError("--keep-tied", "is for GGUF files");
  if (report !== undefined && out !== undefined) {
    throw new UsageError(
      "--report",
      "is for GGUF files and experiments without --out: beside a model, the report is in its folder",
    );
  }
}

/** @param folder of the model that is written, or of the trials alone */
async function runSteer(
  name: string,
  folder: string,
  asked: Asked,
  args: SteerArguments,
  given: (option: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const { out, dryRun = false, force } = args;
  const trials = trialsOf(args);
  const line = runLine(process.stderr, args);
  const hub = hubOptions(line, signal);
  let model: Model | undefined;
  try {
    model = await loadModel(name, {
      ...engineOptions(args, line),
      tokenizer: args.tokenizer,
      ...hub,
      ...memoryUse(args, line),
    });
    const format = args.format ?? defaultFormat(model);
    checkFormat(model, format, args);
    if (out !== undefined && format !== "gguf") await checkOut(model, out, force);
    if (out !== undefined && format === "gguf") {
      requirePlace(model, args);
      await checkGgufOut(model, { out, report: args.report ?? reportBeside(out) }, force);
    }
    const nothingAsked =
      !dryRun && out === undefined && [args.edit, args.edits, args.plan].every((source) => source === undefined);
    const plan = nothingAsked ? undefined : await planOf(model, args, given);
    if (plan !== undefined && dryRun) {
      console.log(args.json ? JSON.stringify(savedPlan(plan)) : matchedLines(plan));
      return;
    }
    const texts = await openSteerTexts(args, readingOf(args), hub);
    if (plan !== undefined) line.onEvent({ type: "notice", message: matchedLines(plan) });
    const options: SteerRunOptions = {
      ...{ texts, trials, generate: textsToGenerate(args), signal, onEvent: line.onEvent },
      ...(await textPairReading(model, args)),
      seed: args.seed,
      ...{ bound: args.bound, probes: args.probes, allowUnsafe: args.allowUnsafe },
    };
    if (plan === undefined || out === undefined) {
      const run = await saveTrials(
        model,
        plan ?? { ...editWay({ ...args, lambda: args.size }), edits: [] },
        resolve(folder),
        {
          ...options,
          asked,
        },
      );
      line.stop();
      showTrials(run, resolve(folder), args);
      return;
    }
    const { headType, keepTied, report } = args;
    const run = await saveSteering(model, plan, out, { ...options, format, force, asked, headType, keepTied, report });
    line.stop();
    showEdit(run, out, args, asked);
    const missed = run.edit.solution.groups.filter((group) => !isMet(group)).length;
    if (missed > 0) throw new TargetMissed(missed, out);
  } catch (error) {
    throw signal.aborted ? new InterruptedUnwritten() : error;
  } finally {
    line.stop();
    await model?.close();
  }
}

function showTrials({ experiments, seconds }: SteeringRun, out: string, { json, quiet }: SteerArguments): void {
  const summary = summarizeExperiments(experiments!);
  if (json) console.log(JSON.stringify({ experiments: summary, seconds, out }));
  else if (!quiet) console.log([...experimentLines(summary), "", ...closingLines(seconds, out)].join("\n"));
}

function showEdit(run: EditedRun, out: string, args: SteerArguments, { command }: Asked): void {
  const { edit, generated, experiments, seconds } = run;
  const trials = trialsOf(args) && experiments ? summarizeExperiments(experiments) : undefined;
  if (args.json) {
    const summary = summarizeSteering(edit);
    console.log(JSON.stringify({ ...summary, generated: generated ?? null, experiments: trials, seconds, command }));
  } else if (!args.quiet) {
    if (generated) console.log(`${generatedTextTable(edit.plan, generated)}\n`);
    if (trials) console.log(`${experimentLines(trials).join("\n")}\n`);
    console.log(steeringTable(run, out));
  }
}
