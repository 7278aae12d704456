import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { Command } from "commander";
import { loadTokenizer } from "../../corpus/tokenizer/tokenizer.js";
import { measuredCorpus } from "../../corpus/tokens/measured-corpus.js";
import { InputError } from "../../errors.js";
import type { BeginOfText } from "../../model/contexts/begin-of-text.js";
import { openCorpus } from "../../node/corpus/open-corpus.js";
import { openTokenizerFolder } from "../../node/corpus/tokenizer-folder.js";
import { writeTokenFolder } from "../../node/corpus/tokens/write-token-folder.js";
import { checkWritable } from "../../node/files/check-writable.js";
import { whileLocked } from "../../node/files/path-lock.js";
import { defaultCorpus, defaultModel } from "../../node/load-model.js";
import { folderName } from "../options/arguments.js";
import {
  bosOption,
  contextOption,
  corpusOption,
  forceOption,
  outOption,
  type PrintArguments,
  printOptions,
  tokensOption,
} from "../options/common-options.js";
import { defaultName } from "../options/default-folder.js";
import { hubOptions } from "../options/hub-options.js";
import { readingOf, separatorId, type TextArguments, textOptions } from "../options/text-options.js";
import { Interrupted } from "../progress/interrupt.js";
import { runLine } from "../progress/run-line.js";

interface TokenizeArguments extends TextArguments, PrintArguments {
  corpus?: string[];
  context?: number;
  tokens?: number;
  bos: BeginOfText;
  out?: string;
  force?: boolean;
}

const examples = `
Examples:
  unembed tokenize ./my-model --corpus 'wiki/*.parquet' --out tokens
  unembed analyze ./my-model --corpus tokens              all of it here
  unembed analyze ./my-model --corpus tokens --part 3/64 --parts parts
      or a part of it, on any of many machines`;

/** Ctrl-C while tokenizing: nothing is kept of it. */
class TokenizeInterrupted extends Interrupted {
  override readonly message = "interrupted; nothing was written";
}

/** `unembed tokenize`. */
export function tokenizeCommand(signal: AbortSignal): Command {
  const command = new Command("tokenize")
    .summary("write a text's token ids once, for runs that begin anywhere in it")
    .description("Writes token ids and a manifest to a folder, which every command takes as a corpus.")
    .argument("[model]", "model folder or hub id to take the tokenizer from", defaultModel)
    .addOption(corpusOption());
  textOptions(command)
    .addOption(contextOption())
    .addOption(tokensOption())
    .addOption(bosOption())
    .addOption(outOption("where to write (default: runs/tokenize-<model>-<text>...)"))
    .addOption(forceOption("replace the folder if it is there"));
  return printOptions(command, "no progress, no summary")
    .addHelpText("after", examples)
    .action((model: string, args: TokenizeArguments, command: Command) => {
      const out = resolve(args.out ?? join("runs", defaultName(command, folderName(model), model)));
      return runTokenize(model, out, args, signal);
    });
}

async function runTokenize(name: string, out: string, args: TokenizeArguments, signal: AbortSignal): Promise<void> {
  await checkWritable(dirname(out));
  return whileLocked(out, async () => {
    if (!args.force && existsSync(out)) throw new InputError(args.out ?? out, "is there already", { remedy: "force" });
    await tokenizeInto(out, name, args, signal);
  });
}

async function tokenizeInto(out: string, name: string, args: TokenizeArguments, signal: AbortSignal): Promise<void> {
  const line = runLine(process.stderr, args);
  const hub = hubOptions(line, signal);
  try {
    const text = measuredCorpus(await openCorpus(args.corpus ?? [defaultCorpus], readingOf(args), hub));
    const folder = await openTokenizerFolder(name, hub);
    const tokenizer = await loadTokenizer(folder);
    const written = await writeTokenFolder(out, text.corpus, { name, folder }, tokenizer, {
      ...{ contextLength: args.context, tokens: args.tokens, beginOfText: args.bos, signal },
      separator: await separatorId({ tokenizer: async () => tokenizer }, args.separator),
      onProgress(done) {
        const total = args.tokens ?? text.estimateTokens(done);
        line.onEvent({ type: "progress", phase: "tokenize", done, total, unit: "tokens" });
      },
    });
    line.stop();
    const { counts, contextLength, beginOfText, dtype, shards } = written;
    if (args.json) {
      const bos = beginOfText.length > 0;
      console.log(JSON.stringify({ ...counts, contextLength, beginOfText: bos, dtype, shards: shards.length, out }));
    } else if (!args.quiet) {
      const [tokens, windows] = [counts.tokens, counts.windows].map((value) => value.toLocaleString("en"));
      console.log(`${tokens} tokens in ${windows} windows of ${contextLength} (${dtype}): ${out}`);
    }
  } catch (error) {
    throw signal.aborted && error === signal.reason ? new TokenizeInterrupted() : error;
  } finally {
    line.stop();
  }
}
