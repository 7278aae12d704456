import { resolve } from "node:path";
import { Command, Option } from "commander";
import { measuredCorpus } from "../../corpus/text/measured-corpus.js";
import { loadTokenizer } from "../../corpus/tokenizer/tokenizer.js";
import type { TokenDType } from "../../corpus/tokens/id-files.js";
import { countTokens } from "../../dynamics/inputs/count-tokens.js";
import { InputError } from "../../errors.js";
import { openCorpus } from "../../node/corpus/open-corpus.js";
import { openTokenizerFolder } from "../../node/corpus/tokenizer-folder.js";
import { type CountFormat, countFormats, writeTokenCounts } from "../../node/corpus/write-token-counts.js";
import { checkWritable } from "../../node/files/check-writable.js";
import { defaultCorpus, defaultModel } from "../../node/load-model.js";
import { folderName, positiveInteger } from "../options/arguments.js";
import { hubOptions } from "../options/hub-options.js";
import { Interrupted } from "../progress/interrupt.js";
import { noProgress, tokenProgress } from "../progress/progress.js";

interface CountArguments {
  corpus?: string[];
  field?: string;
  column?: string;
  tokenDtype?: TokenDType;
  tokens?: number;
  vocabSize?: number;
  out?: string;
  json?: boolean;
  quiet?: boolean;
}

/** Ctrl-C while counting: nothing is kept of it. */
class CountInterrupted extends Interrupted {
  override readonly message = "interrupted; nothing was written";
}

/** `unembed count`. */
export function countCommand(signal: AbortSignal): Command {
  return new Command("count")
    .summary("count how often each token occurs in a text")
    .description("Counts token ids with a model's own tokenizer: the frequencies that unembed dynamics takes.")
    .argument("[model]", "model folder or hub id to take the tokenizer from; left out: the embedded model")
    .option("--corpus <file...>", "files, folders, globs, hf://datasets/org/name, - for stdin (default: embedded text)")
    .option("--field <name>", "field of .json and .jsonl documents that holds the text (default: text)")
    .option("--column <name>", "column of .parquet files that holds the text (default: text)")
    .addOption(new Option("--token-dtype <type>", "number type of .bin token files").choices(["uint16", "uint32"]))
    .option("--tokens <n>", "stop after this many tokens (default: the whole corpus)", positiveInteger)
    .option("--vocab-size <n>", "ids to count (default: those of the tokenizer)", positiveInteger)
    .option("--out <file>", "a .npy, .json, .csv or .safetensors file (default: runs/counts-<model>.npy)")
    .option("--json", "print what was counted as one JSON object to standard output")
    .option("--quiet", "no progress, no summary")
    .action((model: string | undefined, args: CountArguments) => runCount(model, args, signal));
}

async function runCount(name: string = defaultModel, args: CountArguments, signal: AbortSignal): Promise<void> {
  const out = resolve(args.out ?? `runs/counts-${folderName(name)}.npy`);
  const format = /\.(\w+)$/.exec(out)?.[1]?.toLowerCase() as CountFormat | undefined;
  if (format === undefined || !countFormats.includes(format)) {
    throw new InputError(
      out,
      `has no ending that says how to write it: ${countFormats.map((one) => `.${one}`).join(", ")}`,
    );
  }
  await checkWritable(resolve(out, ".."));
  const hub = hubOptions(args, signal);
  const { field, column, tokenDtype: tokenDType } = args;
  const text = measuredCorpus(await openCorpus(args.corpus ?? [defaultCorpus], { field, column, tokenDType }, hub));
  const tokenizer = await loadTokenizer(await openTokenizerFolder(name, hub));
  const progress = args.quiet ? noProgress : tokenProgress(process.stderr, "count");
  try {
    const counts = await countTokens(text.corpus, tokenizer, {
      vocabSize: args.vocabSize,
      tokens: args.tokens,
      signal,
      onProgress: (counted) => progress.update(counted, args.tokens ?? text.estimateTokens(counted)),
    });
    progress.stop();
    await writeTokenCounts(out, counts, format);
    const tokens = counts.reduce((sum, count) => sum + count, 0);
    const distinct = counts.filter((count) => count > 0).length;
    if (args.json) console.log(JSON.stringify({ tokens, distinct, vocabSize: counts.length, out }));
    else if (!args.quiet) {
      const [all, some, size] = [tokens, distinct, counts.length].map((value) => value.toLocaleString("en"));
      console.log(`${all} tokens, ${some} of ${size} ids occur: ${out}`);
    }
  } catch (error) {
    throw signal.aborted && error === signal.reason ? new CountInterrupted() : error;
  } finally {
    progress.stop();
  }
}
