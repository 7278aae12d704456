import { join, resolve } from "node:path";
import { Command } from "commander";
import { summarizeComparison } from "../../compare/comparison.js";
import type { BeginOfText } from "../../model/contexts/begin-of-text.js";
import type { Model } from "../../model/model.js";
import { openCorpus } from "../../node/corpus/open-corpus.js";
import { defaultCorpus, loadModel } from "../../node/load-model.js";
import { inRunFolder } from "../../node/runs/folder/claim-folder.js";
import { saveComparison } from "../../node/runs/saved-comparison.js";
import type { Asked } from "../../node/runs/write/run-record.js";
import { askedCommand, folderName } from "../options/arguments.js";
import {
  bosOption,
  contextOption,
  corpusOption,
  forceOption,
  outOption,
  type RunArguments,
  runOptions,
  tokenizerOption,
  tokensOption,
} from "../options/common-options.js";
import { defaultName } from "../options/default-folder.js";
import { engineOptions } from "../options/engine-options.js";
import { hubOptions } from "../options/hub-options.js";
import { type MemoryArguments, memoryOptions, memoryUse } from "../options/memory-options.js";
import { positiveInteger } from "../options/numbers.js";
import { readingOf, separatorId, type TextArguments, textOptions } from "../options/text-options.js";
import { Interrupted, InterruptedUnwritten } from "../progress/interrupt.js";
import { runLine } from "../progress/run-line.js";
import { comparisonTable } from "../tables/comparison-table.js";

interface CompareArguments extends TextArguments, MemoryArguments, RunArguments {
  corpus?: string[];
  context?: number;
  tokens?: number;
  bos: BeginOfText;
  movers: number;
  out?: string;
  force?: boolean;
}

const examples = `
Examples:
  unembed compare ./original ./edited             on the embedded text
  unembed compare ./original ./edited --corpus held-out.txt --tokens 100000
  unembed compare EleutherAI/pythia-70m EleutherAI/pythia-70m@step1000
  unembed compare tiny-books ./edited --json > numbers.json`;

/** `unembed compare`. */
export function compareCommand(signal: AbortSignal): Command {
  const command = new Command("compare")
    .summary("measure how the outputs of two models differ")
    .description(
      "Runs two models of one vocabulary over the same text and measures how their output differs: KL both ways, " +
        "Jensen-Shannon, top-1 agreement, perplexity, and the tokens whose mean probability moved most.",
    )
    .argument("<model-a>", "model folder, hub id (org/name, org/name@revision), or tiny-books (embedded)")
    .argument("<model-b>", "what to compare it with")
    .addOption(corpusOption());
  textOptions(command)
    .addOption(contextOption())
    .addOption(tokensOption())
    .addOption(tokenizerOption())
    .addOption(bosOption())
    .option("--movers <n>", "how many of the tokens that moved most to list", positiveInteger, 20)
    .addOption(outOption("where to write (default: runs/compare-<model-a>-<model-b>-...)"))
    .addOption(forceOption("take the place of another run that is there"));
  return runOptions(memoryOptions(command))
    .addHelpText("after", examples)
    .action((a: string, b: string, args: CompareArguments, command: Command) => {
      const asked = { command: askedCommand(command), arguments: { modelA: a, modelB: b, ...args } };
      const name = defaultName(command, `${folderName(a)}-${folderName(b)}`, [a, b]);
      const out = resolve(args.out ?? join("runs", name));
      return inRunFolder(out, { kind: "compare", ...asked, force: args.force }, () =>
        runCompare([a, b], out, asked, args, signal),
      );
    });
}

async function runCompare(
  names: readonly [string, string],
  out: string,
  asked: Asked,
  args: CompareArguments,
  signal: AbortSignal,
): Promise<void> {
  const started = performance.now();
  const line = runLine(process.stderr, args);
  const hub = hubOptions(line, signal);
  const text = await openCorpus(args.corpus ?? [defaultCorpus], readingOf(args), hub);
  const opened: Model[] = [];
  try {
    for (const name of names)
      opened.push(
        await loadModel(name, {
          ...engineOptions(args, line),
          tokenizer: args.tokenizer,
          ...hub,
          ...memoryUse(args, line, 2),
        }),
      );
    const [modelA, modelB] = opened as [Model, Model];
    const comparison = await saveComparison(modelA, modelB, text, out, {
      ...{ contextLength: args.context, tokens: args.tokens, beginOfText: args.bos },
      separator: await separatorId(modelA, args.separator),
      ...{ movers: args.movers, asked, signal, onEvent: line.onEvent },
    });
    line.stop();
    const seconds = (performance.now() - started) / 1000;
    if (args.json) {
      const { models, vocabSize, tokensPerSecond } = comparison;
      const summary = summarizeComparison(comparison, args.movers);
      const names = { a: models.a.name, b: models.b.name };
      console.log(JSON.stringify({ models: names, vocabSize, ...summary, seconds, tokensPerSecond, out }));
    } else if (!args.quiet) {
      console.log(comparisonTable(comparison, args.movers, seconds, out));
    }
  } catch (error) {
    throw error instanceof Interrupted ? new InterruptedUnwritten() : error;
  } finally {
    line.stop();
    await Promise.all(opened.map((model) => model.close()));
  }
}
