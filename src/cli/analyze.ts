import { resolve } from "node:path";
import { Command, Option } from "commander";
import type { Corpus } from "../corpus/corpus.js";
import type { Analysis } from "../encoding/analysis.js";
import { type AnalyzeProgress, analyze } from "../encoding/analyze.js";
import { summarize } from "../encoding/summary.js";
import type { Model } from "../model/model.js";
import { checkWritable } from "../node/check-writable.js";
import { corpus as openCorpus } from "../node/corpus-files.js";
import { defaultCorpus, loadModel } from "../node/load-model.js";
import { writeAnalysisRun } from "../node/run-folder.js";
import { inputIdentity, openUnfinished } from "../node/unfinished.js";
import { analysisTable } from "./analysis-table.js";
import { commandLine, folderName, positiveInteger, wholeNumber } from "./arguments.js";
import { noProgress, tokenProgress } from "./progress.js";
import { measuredCorpus } from "./text-size.js";

interface AnalyzeArguments {
  corpus?: string[];
  context?: number;
  tokens?: number;
  bos?: boolean;
  out?: string;
  seed: number;
  threads?: number;
  device: "cpu";
  json?: boolean;
  quiet?: boolean;
}

const examples = `
Examples:
  unembed analyze                                   the embedded model on the embedded text
  unembed analyze --tokens 100000 --out runs/first  stop after 100,000 tokens
  unembed analyze ./my-model --corpus text/*.txt    a model folder on your own text
  cat book.txt | unembed analyze --corpus - --json  text from standard input, numbers to standard output`;

/** `unembed analyze`. */
export function analyzeCommand(signal: AbortSignal): Command {
  return new Command("analyze")
    .summary("read the token-probability encoding of a model")
    .description(
      "Fits -log(mean output probability) of every token as a linear function of its output embedding,\n" +
        "and writes the numbers, the tensors and a report to a folder.",
    )
    .argument("[model]", "model folder; left out: the embedded model")
    .option("--corpus <file...>", "text files, folders or globs, - for standard input (default: the embedded text)")
    .option("--context <n>", "tokens per window (default: 256, or what the model can take)", positiveInteger)
    .option("--tokens <n>", "stop after this many tokens (default: the whole corpus)", positiveInteger)
    .option("--bos", "start every window with the begin-of-text token")
    .option("--out <folder>", "where to write (default: runs/analyze-<model>)")
    .option("--seed <n>", "of the random choices in the comparison curves", wholeNumber, 0)
    .option("--threads <n>", "processor cores to use (default: all)", positiveInteger)
    .addOption(new Option("--device <device>", "where to compute").choices(["cpu"]).default("cpu"))
    .option("--json", "print the results as one JSON object to standard output")
    .option("--quiet", "no progress, no table")
    .addHelpText("after", examples)
    .action((model: string | undefined, args: AnalyzeArguments) => runAnalyze(model, args, signal));
}

async function runAnalyze(modelName: string | undefined, args: AnalyzeArguments, signal: AbortSignal): Promise<void> {
  const started = performance.now();
  const text = openCorpus(args.corpus ?? defaultCorpus);
  const model = await loadModel(modelName, { threads: args.threads });
  try {
    const out = resolve(args.out ?? `runs/analyze-${folderName(model.name)}`);
    await checkWritable(out);
    const analysis = await resumableAnalysis(model, text, out, args, signal);
    await writeAnalysisRun(out, analysis, {
      command: commandLine(process.argv.slice(2)),
      arguments: { model: model.name, ...args },
    });
    const seconds = (performance.now() - started) / 1000;
    if (args.json) {
      const { tokensPerSecond } = analysis;
      console.log(JSON.stringify({ ...summarize(analysis), seconds, tokensPerSecond, out }));
    } else if (!args.quiet) {
      console.log(analysisTable(analysis, seconds, out));
    }
  } finally {
    await model.close();
  }
}

/** The analysis, going on from what an interrupted one left in the folder and leaving the same if it is interrupted. */
async function resumableAnalysis(
  model: Model,
  text: Corpus,
  out: string,
  args: AnalyzeArguments,
  signal: AbortSignal,
): Promise<Analysis> {
  const what = { contextLength: args.context, tokens: args.tokens, beginOfText: args.bos ?? false };
  const unfinished = await openUnfinished(out, { ...what, inputs: await inputIdentity(model, text) }, model.head);
  const { found } = unfinished;
  if (found && !args.quiet) {
    console.error(`going on from ${found.statistics.contexts.toLocaleString("en")} tokens of an interrupted run`);
  }
  const progress = args.quiet ? noProgress : tokenProgress(process.stderr, "analyze", found?.statistics.contexts);
  const measured = measuredCorpus(text);
  let latest: AnalyzeProgress | undefined;
  try {
    const analysis = await analyze(model, measured.corpus, {
      ...what,
      seed: args.seed,
      signal,
      resume: found,
      onProgress: async (reached) => {
        latest = reached;
        progress.update(reached.contexts, args.tokens ?? measured.estimateTokens(reached.contexts));
        await unfinished.offer(reached.windows, reached.statistics);
      },
    });
    await unfinished.remove();
    return analysis;
  } catch (error) {
    if (signal.aborted && latest) await unfinished.save(latest.windows, latest.statistics);
    throw error;
  } finally {
    progress.stop();
  }
}
