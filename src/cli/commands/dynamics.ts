import { join, resolve } from "node:path";
import { Command } from "commander";
import { loadTokenizer, type Tokenizer } from "../../corpus/tokenizer/tokenizer.js";
import { readTrainingLog } from "../../dynamics/inputs/training-log.js";
import { summarizeDynamics } from "../../dynamics/summary.js";
import { InputError } from "../../errors.js";
import { parseHubReference } from "../../hub/reference.js";
import type { BeginOfText } from "../../model/contexts/begin-of-text.js";
import { type OpenedCheckpoints, openCheckpoints } from "../../node/checkpoints/checkpoints.js";
import {
  embeddedConvergence,
  embeddedCounts,
  embeddedLog,
  embeddedSeries,
  embeddedSteps,
} from "../../node/checkpoints/embedded-series.js";
import { listSteps } from "../../node/checkpoints/remote-checkpoints.js";
import { openTokenizerFolder } from "../../node/corpus/tokenizer-folder.js";
import { openFileSource } from "../../node/files/file-source.js";
import type { HubOptions } from "../../node/hub/repository.js";
import { inRunFolder } from "../../node/runs/folder/claim-folder.js";
import { type FrequencySource, frequenciesFrom } from "../../node/runs/frequencies-from.js";
import { saveDynamics } from "../../node/runs/saved-dynamics.js";
import type { Asked } from "../../node/runs/write/run-record.js";
import { askedCommand, flagOf, folderName } from "../options/arguments.js";
import {
  bosOption,
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
import { type ReadingArguments, readingOf, readingOptions } from "../options/text-options.js";
import { runLine } from "../progress/run-line.js";
import { dynamicsTable } from "../tables/dynamics-table.js";
import { UsageError } from "../usage-error.js";

interface DynamicsArguments extends ReadingArguments, RunArguments {
  bos: BeginOfText;
  frequencies?: string;
  corpus?: string[];
  probabilities?: string;
  seenOnly?: boolean;
  tokenizer?: string;
  tensor?: string;
  convergence?: boolean;
  log?: string;
  list?: boolean;
  out?: string;
  force?: boolean;
  seed: number;
}

const examples = `
Examples:
  unembed dynamics                    the training run that comes with unembed
  unembed dynamics run/steps --frequencies counts.npy --convergence \\
      --log trainer_state.json
  unembed dynamics 'EleutherAI/pythia-70m@step{0,1,2,4,...,512,1000}' \\
      --corpus pile-sample.jsonl.zst
  unembed dynamics EleutherAI/pythia-70m --list       its training steps

Of a checkpoint on the hub only the output embedding is fetched, unless
--convergence asks for all of it.`;

/** `unembed dynamics`. */
export function dynamicsCommand(signal: AbortSignal): Command {
  const command = new Command("dynamics")
    .summary("watch token frequency enter the output embedding during training")
    .description(
      "Regresses -log(token frequency) on the output embedding of every checkpoint of a training run, " +
        "and writes the numbers, the tensors and a report to a folder.",
    )
    .argument(
      "[checkpoints...]",
      "folders (step1000), folders of such, or org/name@step{0,1000}; left out: embedded run",
    )
    .option("--frequencies <file>", "counts by token id: .npy, .json, .safetensors, .csv")
    .addOption(corpusOption("count these instead, with the model's tokenizer (as analyze takes them)"))
    .addOption(bosOption("every document of a text"))
    .option("--probabilities <run>", "regress on mean output probabilities that analyze measured (its run's folder)")
    .option("--seen-only", "leave tokens that never occur out, instead of add-one smoothing")
    .option("--tokenizer <model>", "model folder or hub id to take the tokenizer from (default: the checkpoints' own)")
    .option("--tensor <name>", "the output embedding's name in the checkpoints (default: the usual names)")
    .option("--convergence", "also measure how far all other parameters are (reads whole checkpoints)")
    .option("--log <file>", "training log with step and loss: JSON lines, CSV, trainer_state.json")
    .option("--list", "only list the steps that a hub repository has")
    .addOption(outOption("where to write (default: runs/dynamics-<model>-...)"))
    .addOption(forceOption("take the place of another run that is there"))
    .addOption(seedOption("of the shuffled frequencies and the bootstrap"));
  return runOptions(readingOptions(command))
    .addHelpText("after", examples)
    .action((patterns: string[], args: DynamicsArguments, command: Command) => {
      if (args.list) return printSteps(patterns, args, hubOptions(runLine(process.stderr, args), signal));
      const asked = { command: askedCommand(command), arguments: { checkpoints: patterns, ...args } };
      const shown = patterns[0]?.replace(/[@{*].*$/, "") ?? embeddedSeries;
      const name = defaultName(command, folderName(shown), patterns[0] === undefined ? shown : patterns);
      const out = resolve(args.out ?? join("runs", name));
      const source = frequencySource(args, patterns.length === 0);
      return inRunFolder(out, { kind: "dynamics", ...asked, force: args.force }, () =>
        runDynamics(patterns, source, out, asked, args, signal),
      );
    });
}

async function runDynamics(
  patterns: readonly string[],
  source: FrequencySource,
  out: string,
  asked: Asked,
  args: DynamicsArguments,
  signal: AbortSignal,
): Promise<void> {
  const line = runLine(process.stderr, args);
  const hub = hubOptions(line, signal);
  const started = performance.now();
  const embedded = patterns.length === 0;
  try {
    const opened = await openCheckpoints(embedded ? [embeddedSteps] : patterns, { tensor: args.tensor, ...hub });
    const tokenizer = await findTokenizer(opened, args, hub);
    const log = args.log ?? (embedded ? embeddedLog : undefined);
    const run = await saveDynamics(opened, out, {
      name: embedded ? embeddedSeries : undefined,
      frequencies: frequenciesFrom(source, tokenizer, hub),
      tokens: tokenTexts(tokenizer),
      // Of the embedded run only the output embeddings are here; the rest was measured when it was made.
      convergence: embedded ? await embeddedConvergence() : args.convergence,
      log: log === undefined ? undefined : await readTrainingLog(await openFileSource(log)),
      seed: args.seed,
      ...engineOptions(args, line),
      asked,
      signal,
      onEvent: line.onEvent,
    });
    line.stop();
    const seconds = (performance.now() - started) / 1000;
    if (args.json) console.log(JSON.stringify({ model: run.model, ...summarizeDynamics(run), seconds, out }));
    else if (!args.quiet) console.log(dynamicsTable(run, seconds, out));
  } finally {
    line.stop();
  }
}

/** Where the frequencies come from: one of three options. */
function frequencySource(args: DynamicsArguments, embedded: boolean): FrequencySource {
  const given = (["frequencies", "corpus", "probabilities"] as const).filter((option) => args[option] !== undefined);
  if (given.length > 1) throw new UsageError(`--${given[1]}`, `and --${given[0]} exclude each other`);
  const reading = (["field", "column", "tokenDtype"] as const).find((option) => args[option] !== undefined);
  if (reading !== undefined && args.corpus === undefined) throw new UsageError(flagOf(reading), "is for --corpus");
  const { frequencies = embedded ? embeddedCounts : undefined, corpus, probabilities, seenOnly } = args;
  if (probabilities !== undefined) {
    if (seenOnly) throw new UsageError("--seen-only", "is for counts, and --probabilities gives none");
    return { probabilities };
  }
  if (corpus !== undefined) return { corpus, reading: readingOf(args), beginOfText: args.bos, seenOnly };
  if (frequencies === undefined) {
    throw new UsageError(
      "--frequencies",
      "is missing: give counts by token id (unembed count makes them), or a text by --corpus",
    );
  }
  return { counts: frequencies, seenOnly };
}

async function findTokenizer(
  opened: OpenedCheckpoints,
  args: DynamicsArguments,
  hub: HubOptions,
): Promise<Tokenizer | undefined> {
  if (args.tokenizer !== undefined) return loadTokenizer(await openTokenizerFolder(args.tokenizer, hub));
  const folder = await opened.tokenizerFolder();
  if (folder !== undefined) return loadTokenizer(folder);
  if (args.corpus === undefined) return undefined;
  throw new InputError(
    "--corpus",
    "needs a tokenizer, and there is none beside the checkpoints: name one by --tokenizer",
  );
}

function tokenTexts(tokenizer: Tokenizer | undefined): string[] | undefined {
  return tokenizer && Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.tokenText(id));
}

async function printSteps(patterns: readonly string[], args: DynamicsArguments, hub: HubOptions): Promise<void> {
  if (patterns.length !== 1) throw new UsageError("--list", "takes one repository of the hub");
  const reference = parseHubReference(patterns[0]!.replace(/@.*$/, ""));
  const steps = await listSteps(reference, hub);
  if (args.json) console.log(JSON.stringify({ name: reference.name, revisions: steps }));
  else if (steps.length > 0) console.log(steps.join("\n"));
  else console.error(`${reference.name} has no revision with a step in its name`);
}
