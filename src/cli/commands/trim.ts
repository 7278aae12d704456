import { Command } from "commander";
import type { Model } from "../../model/model.js";
import { openCorpus } from "../../node/corpus/open-corpus.js";
import { matchTexts } from "../../node/files/bounded-match.js";
import { openFileSource } from "../../node/files/file-source.js";
import { whileLocked } from "../../node/files/path-lock.js";
import { writeFileAtomic } from "../../node/files/write-atomic.js";
import type { HubOptions } from "../../node/hub/repository.js";
import { defaultModel, loadModel } from "../../node/load-model.js";
import { inRunFolder } from "../../node/runs/folder/claim-folder.js";
import { saveTrim } from "../../node/runs/saved-trim.js";
import type { Asked } from "../../node/runs/write/run-record.js";
import { writeTrimRun } from "../../node/runs/write/trim-files.js";
import { checkOut } from "../../node/save/save-model.js";
import { type TrimOptions, trimRun } from "../../runs/trimming/trim-run.js";
import { readTrimPlan, serializeTrimPlan } from "../../trimming/plan/trim-plan.js";
import { summarizeTrim } from "../../trimming/trim-run.js";
import { askedCommand } from "../options/arguments.js";
import {
  collectedPaths,
  collectedTexts,
  corpusOption,
  forceOption,
  outOption,
  type RunArguments,
  runOptions,
} from "../options/common-options.js";
import { engineOptions } from "../options/engine-options.js";
import { hubOptions } from "../options/hub-options.js";
import { type MemoryArguments, memoryOptions, memoryUse } from "../options/memory-options.js";
import {
  checkModelFolder,
  dryRunOptions,
  formatOption,
  type ModelFolderArguments,
} from "../options/model-folder-options.js";
import { positiveInteger, positiveNumber } from "../options/numbers.js";
import { readList } from "../options/plan-options.js";
import { readingOf, textOptions } from "../options/text-options.js";
import { checkReadOnce, openTextPair, type TextPairArguments, textPairOptions } from "../options/text-pair-options.js";
import { InterruptedUnwritten } from "../progress/interrupt.js";
import { runLine } from "../progress/run-line.js";
import { trimTable } from "../tables/trim-table.js";
import { UsageError } from "../usage-error.js";

interface TrimArguments extends TextPairArguments, ModelFolderArguments, MemoryArguments, RunArguments {
  keepText?: string[];
  maxVocab?: number;
  keepMass?: number;
  drop?: string[];
  keepList?: string;
  plan?: string;
  padTo?: number;
}

const amounts = {
  keepText: "--keep-text",
  maxVocab: "--max-vocab",
  keepMass: "--keep-mass",
  drop: "--drop",
  keepList: "--keep-list",
  plan: "--plan",
} as const;

const examples = `
Special and added tokens, all bytes, what the configs name, and what kept tokens
are merged from always stay. A token to drop, or a line of a list, is its text
(" the"), id:262, /regex/u, @emoji, @script:Han, @forms:word or @file:list.txt.

Examples:
  unembed trim --max-vocab 4000 --out smaller
  unembed trim ./my-model --keep-mass 0.9999 --corpus 'texts/*.txt' --dry-run
  unembed trim ./my-model --keep-text texts/*.txt --check other.txt --out mine
  unembed trim ./my-model --drop @script:Han --drop @script:Hangul --out western
  unembed trim ./my-model --max-vocab 16000 --pad-to 64 --format onnx --out web
  unembed trim ./my-model --plan smaller/unembed.json --out same-tokens`;

/** `unembed trim`. */
export function trimCommand(signal: AbortSignal): Command {
  const command = new Command("trim")
    .summary("delete the tokens that a text never needs, with their rows")
    .description(
      "Trims the vocabulary: deletes rows of the output and the input embedding and the tokens from the tokenizer, writes the " +
        "model to a new folder, reads it back, checks it against the original, and measures on other text what it costs.",
    )
    .argument("[model]", "model folder, hub id (org/name), or tiny-books (embedded)", defaultModel)
    .option("--keep-text <file...>", "keep the tokens of these texts", collectedPaths)
    .option("--max-vocab <n>", "keep the most used, so many in all", positiveInteger)
    .option("--keep-mass <share>", "keep as few as have this share of the probability", positiveNumber)
    .option("--drop <token>", "drop a token or a set of them; may be repeated", collectedTexts)
    .option("--keep-list <file>", "keep the tokens of a list, one a line")
    .option("--plan <file>", "keep what an earlier trim kept: its unembed.json or --save-plan")
    .addOption(corpusOption("text to rank tokens by (default: embedded text)"));
  textPairOptions(textOptions(command), {
    ...{ tokens: "stop ranking after this many tokens", usualTokens: 200_000 },
    check: "unseen text to measure on (default: embedded text)",
    ...{ checkTokens: "tokens that are measured on, about", usualCheckTokens: 20_000 },
  })
    .option("--pad-to <n>", "add rows until their number is a multiple of this", positiveInteger)
    .addOption(formatOption("how it is written"))
    .addOption(outOption("where to write the trimmed model"))
    .option("--save-plan <file>", "where to keep what was chosen, for --plan; also of a dry run")
    .addOption(forceOption("replace the folder if it is there"));
  return runOptions(memoryOptions(dryRunOptions(command)))
    .addHelpText("after", examples)
    .action((name: string, args: TrimArguments, command: Command) => {
      checkOptions(args);
      const asked = { command: askedCommand(command), arguments: { model: name, ...args } };
      const run = () => runTrim(name, args, asked, signal);
      if (args.report !== undefined)
        return inRunFolder(args.report, { kind: "trim", ...asked, force: args.force }, run);
      return args.dryRun ? run() : whileLocked(args.out!, run);
    });
}

/** @throws UsageError if options contradict one another */
function checkOptions(args: TrimArguments): void {
  const given = (Object.keys(amounts) as (keyof typeof amounts)[]).filter((option) => args[option] !== undefined);
  if (given.length !== 1) throw new UsageError("trim", `one of ${Object.values(amounts).join(", ")} is wanted`);
  if (args.plan !== undefined && args.padTo !== undefined)
    throw new UsageError("--pad-to", "is for a new choice; the plan says it");
  if (args.keepMass !== undefined && args.keepMass > 1)
    throw new UsageError("--keep-mass", `is ${args.keepMass}; at most 1 is wanted`);
  checkModelFolder(args, "of those rows can't be cut");
  checkReadOnce([args.corpus, args.check, args.keepText]);
}

async function runTrim(name: string, args: TrimArguments, asked: Asked, signal: AbortSignal): Promise<void> {
  const line = runLine(process.stderr, args);
  const hub = hubOptions(line, signal);
  const { out, dryRun, force, report, savePlan } = args;
  let model: Model | undefined;
  try {
    model = await loadModel(name, {
      ...engineOptions(args, line),
      tokenizer: args.tokenizer,
      ...hub,
      ...memoryUse(args, line),
    });
    if (dryRun && out !== undefined) await checkOut(model, out, force);
    const options = { ...(await trimOptions(model, args, hub)), signal, onEvent: line.onEvent };
    const { run, plan } = dryRun
      ? await trimRun(model, options)
      : await saveTrim(model, out!, { ...options, format: args.format, force, asked });
    line.stop();
    if (report !== undefined) await writeTrimRun(report, run, asked);
    if (savePlan !== undefined) await writeFileAtomic(savePlan, serializeTrimPlan(plan));
    const written = dryRun ? undefined : out;
    if (args.json) console.log(JSON.stringify({ ...summarizeTrim(run, written), ...(report && { report }) }));
    else if (!args.quiet) console.log(trimTable(run, { out: written, report: report ?? written }));
  } catch (error) {
    throw signal.aborted ? new InterruptedUnwritten() : error;
  } finally {
    line.stop();
    await model?.close();
  }
}

async function trimOptions(model: Model, args: TrimArguments, hub: HubOptions): Promise<TrimOptions> {
  return {
    amount: await amountOf(model, args, hub),
    ...(await openTextPair(model, args, hub)),
    padTo: args.padTo,
    ...{ readList, matchTexts },
  };
}

/** One of them is given: `checkOptions`. */
async function amountOf(model: Model, args: TrimArguments, hub: HubOptions): Promise<TrimOptions["amount"]> {
  const { maxVocab, keepMass, keepText, keepList, drop, plan } = args;
  if (plan !== undefined) return { plan: await readTrimPlan(await openFileSource(plan), model) };
  if (maxVocab !== undefined) return { maxVocab };
  if (keepMass !== undefined) return { keepMass };
  if (keepText !== undefined) return { keepText: await openCorpus(keepText, readingOf(args), hub) };
  return keepList === undefined ? { drop: drop! } : { keep: [`@file:${keepList}`] };
}
