import { Command, Option } from "commander";
import type { Corpus } from "../../corpus/corpus.js";
import { type ModelFormat, modelFormats } from "../../export/model-formats.js";
import type { GeneratedTexts } from "../../generation/generated-texts.js";
import type { Model } from "../../model/model.js";
import { corpus } from "../../node/corpus/corpus-files.js";
import { openCorpus } from "../../node/corpus/open-corpus.js";
import { rowFile } from "../../node/files/row-file.js";
import { defaultCorpus, defaultModel, embeddedTexts, loadModel } from "../../node/load-model.js";
import { checkOut, clearOut } from "../../node/save/save-model.js";
import { saveAs, withWrittenHead } from "../../node/save/written-head.js";
import { version } from "../../node/version.js";
import { checkEdit, type EditCheck } from "../../steering/check/check.js";
import { oppositeEffects } from "../../steering/check/opposite-effects.js";
import type { EditPlan } from "../../steering/plan/edit-plan.js";
import { methods } from "../../steering/plan/method.js";
import { type Steered, steer } from "../../steering/steer.js";
import { summarizeSteering } from "../../steering/summary.js";
import { summarizeExperiments } from "../../steering/trials/experiment-summary.js";
import type { Experiments } from "../../steering/trials/run-experiments.js";
import { commandLine } from "../options/arguments.js";
import {
  collectedPaths,
  contextOption,
  corpusOption,
  forceOption,
  outOption,
  type RunArguments,
  runOptions,
  tokensOption,
} from "../options/common-options.js";
import { hubOptions } from "../options/hub-options.js";
import { positiveInteger, positiveNumber } from "../options/numbers.js";
import { readingOf, separatorId, type TextArguments, textOptions } from "../options/text-options.js";
import { Interrupted } from "../progress/interrupt.js";
import { noProgress, tokenProgress } from "../progress/progress.js";
import { runLine } from "../progress/run-line.js";
import {
  type ExperimentArguments,
  experimentOptions,
  experimentsOnly,
  experimentsWanted,
  shownExperiments,
} from "../steer-experiments.js";
import { checkPlanOptions, matchedLines, type PlanArguments, planOf } from "../steer-plan.js";
import { steeringFiles } from "../steering-files.js";
import {
  type GeneratedTextArguments,
  generatedTextOptions,
  generatedTextTable,
  writtenTexts,
} from "../steering-texts.js";
import { experimentLines } from "../tables/experiments-table.js";
import { steeringTable } from "../tables/steering-table.js";
import { UsageError } from "../usage-error.js";

interface SteerArguments
  extends PlanArguments,
    TextArguments,
    ExperimentArguments,
    GeneratedTextArguments,
    RunArguments {
  report?: string;
  corpus?: string[];
  tokens: number;
  context?: number;
  check?: string[];
  checkTokens: number;
  format: ModelFormat;
  out?: string;
  force?: boolean;
  dryRun?: boolean;
}

/** Ctrl-C while steering: nothing is kept of it. */
class SteeringInterrupted extends Interrupted {
  override readonly message = "interrupted; nothing was written";
}

const examples = `
A TOKEN is its text (" the", with its space; quotes and \\n are read), id:262,
/regex/u, @emoji, @script:Han or @file:list.txt. A SPEC is x0.5 or x3 (a factor
on its mean probability), +2 or -2 (log-odds), p=0.001, or ban.

Examples:
  unembed steer --edit ' the=x0.5' --edit ' sea=x3' --out less-the
  unembed steer ./my-model --edit '@emoji=ban' --corpus 'texts/*.txt' --dry-run
  unembed steer ./my-model --edit '/^ [Dd]el/u=x0.2' --each --corpus a.txt \\
      --check b.txt c.txt --out edited
  unembed steer --edit ' the=x0.5' --format onnx --out for-the-browser
  unembed steer ./my-model --sweep 0.01..100
      how far any token can be steered; writes no model
  unembed steer ./other-model --plan edited/unembed.json --out other-edited`;

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
    .addOption(corpusOption("text that the targets hold on (default: embedded text)"));
  experimentOptions(generatedTextOptions(textOptions(command)))
    .addOption(tokensOption("stop fitting after this many tokens", 40_000))
    .addOption(contextOption())
    .option(
      "--check <file...>",
      "unseen text: the first of the same kind, the others of another (default: embedded)",
      collectedPaths,
    )
    .option("--check-tokens <n>", "tokens of each text that is checked on", positiveInteger, 10_000)
    .addOption(outOption("where to write the edited model"))
    .addOption(
      new Option("--format <name>", "onnx: for onnxruntime and transformers.js")
        .choices(modelFormats)
        .default("safetensors"),
    )
    .addOption(forceOption("replace the folder if it is there"))
    .option("--dry-run", "list what matched and stop");
  return runOptions(command)
    .addHelpText("after", examples)
    .action((name: string, args: SteerArguments, command: Command) => {
      const given = (option: string) => command.getOptionValueSource(option) === "cli";
      return runSteer(name, args, given, signal);
    });
}

async function runSteer(
  name: string,
  args: SteerArguments,
  given: (option: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const started = performance.now();
  const { out } = args;
  const trialsOnly = out === undefined && !args.dryRun && experimentsWanted(args);
  checkPlanOptions(args, given, !trialsOnly);
  if (out === undefined && !args.dryRun && !trialsOnly) {
    throw new UsageError("--out", "is missing: where to write (or --dry-run, or an experiment like --sweep)");
  }
  if (args.report !== undefined && !trialsOnly) {
    throw new UsageError("--report", "is for experiments without --out: beside a model, the report is in its folder");
  }
  for (const option of ["corpus", "check"] as const) {
    if (!args[option]?.includes("-")) continue;
    const reason = "- can be read only once, and this text is read for more than one thing: give a file";
    throw new UsageError(`--${option}`, reason);
  }
  const hub = hubOptions(runLine(process.stderr, args), signal);
  const opened: Model[] = [];
  const open = async (path: string) => {
    const model = await loadModel(path, { threads: args.threads, ...hub });
    opened.push(model);
    return model;
  };
  try {
    const model = await open(name);
    if (out !== undefined) {
      if (!args.dryRun) await clearOut(out);
      await checkOut(model, out, args.force);
    }
    const nothingAsked = trialsOnly && [args.edit, args.edits, args.plan].every((source) => source === undefined);
    const plan = nothingAsked ? undefined : await planOf(model, args, given);
    if (plan !== undefined && args.dryRun) {
      if (args.json) console.log(JSON.stringify(plan));
      else console.log(matchedLines(plan));
      return;
    }
    const texts = await openTexts(args, hub);
    if (plan !== undefined && !args.quiet) console.error(matchedLines(plan));
    const separator = await separatorId(model, args.separator);
    if (plan === undefined || trialsOnly) {
      return await experimentsOnly(model, plan, texts, { args, started, separator }, signal);
    }
    const solved = await shownSteering(model, plan, texts.fit, { args, separator }, signal);
    const experiments = await shownExperiments(model, solved.plan, texts, { args, separator }, signal);
    const found = { args, started, separator, experiments };
    const { steered, check, generated, summary } = await savedAndMeasured(model, solved, texts, found, signal);
    const seconds = (performance.now() - started) / 1000;
    const trials = experimentsWanted(args) && experiments ? summarizeExperiments(experiments) : undefined;
    if (args.json) {
      const command = commandLine(process.argv.slice(2));
      console.log(JSON.stringify({ ...summary, generated: generated ?? null, experiments: trials, seconds, command }));
    } else if (!args.quiet) {
      if (generated) console.log(`${generatedTextTable(plan, generated)}\n`);
      if (trials) console.log(`${experimentLines(trials).join("\n")}\n`);
      console.log(steeringTable(steered, check, seconds, out!));
    }
  } catch (error) {
    throw signal.aborted ? new SteeringInterrupted() : error;
  } finally {
    await Promise.all(opened.map((model) => model.close()));
  }
}

/** Writes the model, measures what was written rather than what was meant to be, and only then gives it its name. */
async function savedAndMeasured(
  model: Model,
  solved: Steered,
  texts: Awaited<ReturnType<typeof openTexts>>,
  found: { args: SteerArguments; started: number; separator: Separator; experiments: Experiments | undefined },
  signal: AbortSignal,
) {
  const { args, started, separator, experiments } = found;
  const out = args.out!;
  const { format, threads } = args;
  const { inDomain, outOfDomain } = texts;
  const options = { contextLength: args.context, separator, signal };
  let check: EditCheck = {};
  let generated: GeneratedTexts | undefined;
  let steered = solved;
  const summary = () => summarizeSteering(steered, check, out);
  await saveAs[format](model, solved.change, out, {
    force: args.force,
    signal,
    async examine(folder) {
      check = await withWrittenHead(format, folder, { original: model, threads }, async (head) => {
        const prompting = { args, plan: steered.plan, text: inDomain, separator, signal };
        generated = await writtenTexts(model, head, prompting);
        const subject = { original: model, edited: { head, name: out }, groups: steered.solution.groups };
        return {
          ...(await checkEdit(subject, { fit: texts.fit }, { ...options, tokens: args.tokens })),
          ...(await checkEdit(subject, { inDomain, outOfDomain }, { ...options, tokens: args.checkTokens })),
        };
      });
      const { plan, solution } = solved;
      const warnings = [...solution.warnings, ...oppositeEffects(plan, solution.groups, check)];
      steered = { ...solved, solution: { ...solution, warnings } };
      const record = { unembed: version, plan: steered.plan, measured: summary() };
      return [
        ["unembed.json", `${JSON.stringify(record, undefined, 2)}\n`],
        ...steeringFiles(model, texts, { args, started }, { edit: { ...steered, check, out }, generated, experiments }),
      ];
    },
  });
  return { steered, check, generated, summary: summary() };
}

type Hub = ReturnType<typeof hubOptions>;
type Separator = Awaited<ReturnType<typeof separatorId>>;

async function openTexts(args: SteerArguments, hub: Hub) {
  const [same, ...others] = args.check ?? [];
  const reading = readingOf(args);
  return {
    fit: await openCorpus(args.corpus ?? [defaultCorpus], reading, hub),
    inDomain: same === undefined ? corpus(embeddedTexts.inDomain) : await openCorpus([same], reading, hub),
    outOfDomain:
      same === undefined
        ? corpus(embeddedTexts.outOfDomain)
        : others.length > 0
          ? await openCorpus(others, reading, hub)
          : undefined,
  };
}

async function shownSteering(
  model: Model,
  plan: EditPlan,
  text: Corpus,
  { args, separator }: { args: SteerArguments; separator: Separator },
  signal: AbortSignal,
): Promise<Steered> {
  const progress = args.quiet ? noProgress : tokenProgress(process.stderr, "steer");
  try {
    return await steer(model, plan, {
      corpus: text,
      tokens: args.tokens,
      contextLength: args.context,
      separator,
      store: await rowFile(),
      signal,
      onProgress: (contexts) => progress.update(contexts, args.tokens),
    });
  } finally {
    progress.stop();
  }
}
