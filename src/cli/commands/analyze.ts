import { join, resolve } from "node:path";
import { Command } from "commander";
import { openHiddenStates } from "../../corpus/hidden-states.js";
import { summarizeAnalysis } from "../../encoding/summary.js";
import type { BeginOfText } from "../../model/contexts/begin-of-text.js";
import { openCorpus } from "../../node/corpus/open-corpus.js";
import { openFileSource } from "../../node/files/file-source.js";
import { defaultCorpus, defaultModel, loadHead, loadModel } from "../../node/load-model.js";
import { parseQueueUrl } from "../../node/queue/connection.js";
import { inRunFolder } from "../../node/runs/folder/claim-folder.js";
import { resumableAnalysis } from "../../node/runs/resumable-analysis.js";
import { writeAnalysisRun } from "../../node/runs/write/analysis-files.js";
import type { Asked } from "../../node/runs/write/run-record.js";
import { hiddenAnalysisRun } from "../../runs/analysis-run.js";
import {
  analyzeMerged,
  analyzeQueued,
  checkPartsOptions,
  type PartsArguments,
  partsOptions,
  runPart,
} from "../analyze-parts.js";
import { askedCommand, flagOf, folderName } from "../options/arguments.js";
import {
  bosOption,
  contextOption,
  corpusOption,
  forceOption,
  outOption,
  type RunArguments,
  runOptions,
  seedOption,
  tokenizerOption,
  tokensOption,
} from "../options/common-options.js";
import { defaultName } from "../options/default-folder.js";
import { engineOptions } from "../options/engine-options.js";
import { hubOptions } from "../options/hub-options.js";
import { type MemoryArguments, memoryOptions, memoryUse } from "../options/memory-options.js";
import { readingOf, separatorId, type TextArguments, textOptions } from "../options/text-options.js";
import { runLine } from "../progress/run-line.js";
import { analysisTable } from "../tables/analysis-table.js";
import { UsageError } from "../usage-error.js";

interface AnalyzeArguments extends TextArguments, PartsArguments, MemoryArguments, RunArguments {
  corpus?: string[];
  hidden?: string;
  headTensor?: string;
  context?: number;
  tokens?: number;
  bos: BeginOfText;
  out?: string;
  force?: boolean;
  seed: number;
}

const examples = `
Examples:
  unembed analyze                           the embedded model and text
  unembed analyze --tokens 100000 --out runs/first
  unembed analyze ./my-model --corpus 'texts/*.txt'
  unembed analyze EleutherAI/pythia-70m@step1000 \\
      --corpus hf://datasets/org/name --column text
  unembed analyze ./any-model --hidden states.npy
      any architecture, hidden states made by anything
  cat book.txt | unembed analyze --corpus - --json
      text from standard input, numbers to standard output
  unembed analyze ./my-model --corpus tokens/ --part 3/64 --parts parts
  unembed analyze ./my-model --merge parts --out runs/all
      one of 64 parts, anywhere; all of them added up`;

/** `unembed analyze`. */
export function analyzeCommand(signal: AbortSignal): Command {
  const command = new Command("analyze")
    .summary("read the token-probability encoding of a model")
    .description(
      "Fits -log(mean output probability) of every token as a linear function of its output embedding, " +
        "and writes the numbers, the tensors and a report to a folder.",
    )
    .argument("[model]", "model folder, hub id (org/name, org/name@revision), or tiny-books (embedded)", defaultModel)
    .addOption(corpusOption());
  textOptions(command)
    .option("--hidden <file>", "hidden states [n, d] (.npy, .safetensors) made elsewhere, instead of a corpus")
    .option("--head-tensor <name>", "with --hidden: name of the output embedding in the checkpoint")
    .addOption(contextOption())
    .addOption(tokensOption())
    .addOption(tokenizerOption())
    .addOption(bosOption())
    .addOption(outOption("where to write (default: runs/analyze-<model>-<text>...)"))
    .addOption(forceOption("take the place of another run that is there"))
    .addOption(seedOption("of the random choices in the comparison curves"));
  partsOptions(command);
  return runOptions(memoryOptions(command))
    .addHelpText("after", examples)
    .action((model: string, args: AnalyzeArguments, command: Command) => runAnalyze(model, args, command, signal));
}

const forText = ["corpus", "field", "column", "tokenDtype", "separator", "context", "tokens", "bos"] as const;

/** @throws UsageError if the options contradict one another */
function checkOptions(args: AnalyzeArguments): void {
  if (args.hidden === undefined) {
    if (args.headTensor !== undefined) throw new UsageError("--head-tensor", "is for --hidden only");
    return;
  }
  const unused = forText.find((option) => args[option] !== undefined);
  if (unused !== undefined) throw new UsageError(flagOf(unused), "is for text; --hidden takes the place of a corpus");
}

async function runAnalyze(
  modelName: string,
  args: AnalyzeArguments,
  command: Command,
  signal: AbortSignal,
): Promise<void> {
  checkOptions(args);
  checkPartsOptions(args);
  if (args.part) return runPart(modelName, { ...args, part: args.part }, signal);
  const started = performance.now();
  const { force } = args;
  const { queue } = args;
  const shown = queue === undefined ? args : { ...args, queue: parseQueueUrl(queue).shown };
  const asked = { command: askedCommand(command), arguments: { model: modelName, ...shown } };
  const out = resolve(args.out ?? join("runs", defaultName(command, folderName(modelName), modelName)));
  const analysis = await inRunFolder(out, { kind: "analyze", ...asked, force }, () =>
    analysisOf(modelName, out, asked, args, signal),
  );
  const seconds = (performance.now() - started) / 1000;
  if (args.json) {
    const { tokensPerSecond } = analysis;
    console.log(JSON.stringify({ ...summarizeAnalysis(analysis), seconds, tokensPerSecond, out }));
  } else if (!args.quiet) {
    console.log(analysisTable(analysis, seconds, out));
  }
}

/** The analysis by the one way that the options ask for. */
function analysisOf(name: string, out: string, asked: Asked, args: AnalyzeArguments, signal: AbortSignal) {
  const { merge, queue, hidden } = args;
  if (merge !== undefined) return analyzeMerged(name, merge, out, asked, args, signal);
  if (queue !== undefined) return analyzeQueued(name, queue, out, asked, args, signal);
  if (hidden !== undefined) return analyzeStates(name, hidden, out, asked, args, signal);
  return analyzeText(name, out, asked, args, signal);
}

async function analyzeText(modelName: string, out: string, asked: Asked, args: AnalyzeArguments, signal: AbortSignal) {
  const line = runLine(process.stderr, args);
  const hub = hubOptions(line, signal);
  const reading = readingOf(args);
  const text = await openCorpus(args.corpus ?? [defaultCorpus], reading, hub);
  const model = await loadModel(modelName, {
    ...engineOptions(args, line),
    tokenizer: args.tokenizer,
    ...hub,
    ...memoryUse(args, line),
  }).finally(line.stop);
  try {
    return await resumableAnalysis(model, text, out, {
      contextLength: args.context,
      tokens: args.tokens,
      beginOfText: args.bos,
      separator: await separatorId(model, args.separator),
      seed: args.seed,
      reading,
      hiddenType: args.hiddenDtype,
      asked,
      signal,
      onEvent: line.onEvent,
    });
  } finally {
    line.stop();
    await model.close();
  }
}

async function analyzeStates(
  modelName: string,
  file: string,
  out: string,
  asked: Asked,
  args: AnalyzeArguments,
  signal: AbortSignal,
) {
  const line = runLine(process.stderr, args);
  const options = { ...engineOptions(args, line), tensorName: args.headTensor, ...hubOptions(line, signal) };
  const model = await loadHead(modelName, options).finally(line.stop);
  try {
    const hidden = await openHiddenStates(await openFileSource(file), model.hiddenSize);
    const analysis = await hiddenAnalysisRun(model, hidden, { seed: args.seed, signal, onEvent: line.onEvent });
    await writeAnalysisRun(out, analysis, asked);
    return analysis;
  } finally {
    line.stop();
    await model.close();
  }
}
