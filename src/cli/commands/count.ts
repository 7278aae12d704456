import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { Command } from "commander";
import { loadTokenizer } from "../../corpus/tokenizer/tokenizer.js";
import { InputError } from "../../errors.js";
import type { BeginOfText } from "../../model/contexts/begin-of-text.js";
import { openCorpus } from "../../node/corpus/open-corpus.js";
import { openTokenizerFolder } from "../../node/corpus/tokenizer-folder.js";
import { type CountFormat, countFormats, writeTokenCounts } from "../../node/corpus/write-token-counts.js";
import { checkWritable } from "../../node/files/check-writable.js";
import { whileLocked } from "../../node/files/path-lock.js";
import { defaultCorpus, defaultModel } from "../../node/load-model.js";
import { countRun } from "../../runs/count-run.js";
import { folderName } from "../options/arguments.js";
import {
  bosOption,
  corpusOption,
  forceOption,
  outOption,
  type PrintArguments,
  printOptions,
  tokensOption,
} from "../options/common-options.js";
import { defaultName } from "../options/default-folder.js";
import { hubOptions } from "../options/hub-options.js";
import { positiveInteger } from "../options/numbers.js";
import { type ReadingArguments, readingOf, readingOptions } from "../options/text-options.js";
import { InterruptedUnwritten } from "../progress/interrupt.js";
import { runLine } from "../progress/run-line.js";
import { UsageError } from "../usage-error.js";

interface CountArguments extends ReadingArguments, PrintArguments {
  bos: BeginOfText;
  corpus?: string[];
  tokens?: number;
  vocabSize?: number;
  out?: string;
  force?: boolean;
}

/** `unembed count`. */
export function countCommand(signal: AbortSignal): Command {
  const command = new Command("count")
    .summary("count how often each token occurs in a text")
    .description("Counts token ids with a model's own tokenizer: the frequencies that unembed dynamics takes.")
    .argument("[model]", "model folder or hub id to take the tokenizer from", defaultModel)
    .addOption(corpusOption());
  readingOptions(command)
    .addOption(tokensOption())
    .addOption(bosOption("every document"))
    .option("--vocab-size <n>", "ids to count (default: those of the tokenizer)", positiveInteger)
    .addOption(
      outOption("a .npy, .json, .csv or .safetensors file (default: runs/count-<model>-<text>....npy)", "file"),
    )
    .addOption(forceOption("replace the file if it is there"));
  return printOptions(command, "no progress, no summary").action(
    (model: string, args: CountArguments, command: Command) => {
      const name = defaultName(command, folderName(model), model);
      return runCount(model, resolve(args.out ?? join("runs", `${name}.npy`)), args, signal);
    },
  );
}

async function runCount(name: string, out: string, args: CountArguments, signal: AbortSignal): Promise<void> {
  const format = /\.(\w+)$/.exec(out)?.[1]?.toLowerCase() as CountFormat | undefined;
  if (format === undefined || !countFormats.includes(format)) {
    throw new UsageError(
      "--out",
      `${out} has no ending that says how to write it: ${countFormats.map((one) => `.${one}`).join(", ")}`,
    );
  }
  await checkWritable(dirname(out));
  return whileLocked(out, async () => {
    // A file of counts does not say what it is of: only the name that stands for the arguments does.
    if (args.out !== undefined && !args.force && existsSync(out)) {
      throw new InputError(args.out, "is there already", { remedy: "force" });
    }
    await countInto(out, format, name, args, signal);
  });
}

async function countInto(
  out: string,
  format: CountFormat,
  name: string,
  args: CountArguments,
  signal: AbortSignal,
): Promise<void> {
  const line = runLine(process.stderr, args);
  const hub = hubOptions(line, signal);
  const text = await openCorpus(args.corpus ?? [defaultCorpus], readingOf(args), hub);
  const tokenizer = await loadTokenizer(await openTokenizerFolder(name, hub));
  try {
    const { vocabSize, tokens: most, bos } = args;
    const options = { vocabSize, tokens: most, beginOfText: bos, signal, onEvent: line.onEvent };
    const { counts, tokens, distinct, beginOfText } = await countRun(text, tokenizer, options);
    line.stop();
    await writeTokenCounts(out, counts, format);
    if (args.json) console.log(JSON.stringify({ tokens, distinct, vocabSize: counts.length, beginOfText, out }));
    else if (!args.quiet) {
      const [all, some, size] = [tokens, distinct, counts.length].map((value) => value.toLocaleString("en"));
      const begun = beginOfText ? ", begin-of-text before every document counted" : "";
      console.log(`${all} tokens${begun}, ${some} of ${size} ids occur: ${out}`);
    }
  } catch (error) {
    throw signal.aborted && error === signal.reason ? new InterruptedUnwritten() : error;
  } finally {
    line.stop();
  }
}
