import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Analysis } from "../encoding/analysis.js";
import { readEncoding } from "../encoding/read-encoding.js";
import type { BeginOfText } from "../model/contexts/begin-of-text.js";
import { openCorpus } from "../node/corpus/open-corpus.js";
import { checkWritable } from "../node/files/check-writable.js";
import { loadModel } from "../node/load-model.js";
import { type CollectedPart, collectPart, identifyParts } from "../node/parts/collect-part.js";
import { makePartsFolder, mergeParts } from "../node/parts/merge-parts.js";
import { parseQueueUrl } from "../node/queue/connection.js";
import { coordinate } from "../node/queue/coordinate.js";
import { writeAnalysisRun } from "../node/runs/write/analysis-files.js";
import type { Asked } from "../node/runs/write/run-record.js";
import { blockWindows } from "../statistics/collected-sums.js";
import type { PartOfText } from "../statistics/parts.js";
import { flagOf } from "./options/arguments.js";
import type { RunArguments } from "./options/common-options.js";
import { engineOptions } from "./options/engine-options.js";
import { hubOptions } from "./options/hub-options.js";
import { type MemoryArguments, memoryUse } from "./options/memory-options.js";
import { integerUpTo, positiveInteger } from "./options/numbers.js";
import { runLine } from "./progress/run-line.js";
import { UsageError } from "./usage-error.js";

/* `unembed analyze` of one part of a text, and of parts that are added up (docs/cluster.md). */

/** More parts than any text has use for. */
const maxParts = 1_000_000;

/** The options of partsOptions, read. */
export interface PartsArguments {
  part?: PartOfText;
  parts?: string;
  merge?: string;
  queue?: string;
  split?: number;
}

/** Arguments of a command that computes one part. */
interface PartArguments extends PartsArguments, MemoryArguments, RunArguments {
  part: PartOfText;
  corpus?: string[];
  context?: number;
  tokens?: number;
  bos: BeginOfText;
}

/** Adds `--part`, `--parts` and `--merge`. */
export function partsOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--part <k/n>",
        "compute only part k of n, counted from 1, of a text that unembed tokenize wrote",
      ).argParser(partOf),
    )
    .option("--parts <folder>", "where parts are written")
    .option("--merge <folder>", "add up the parts in the folder instead of reading a text")
    .option("--queue <url>", "have workers compute the parts (unembed worker): redis://host:6379, rediss:// for TLS")
    .addOption(
      new Option("--split <n>", "with --queue: number of parts (default: of a million tokens, at least 16)").argParser(
        integerUpTo(maxParts, positiveInteger, `at most ${maxParts} are possible.`),
      ),
    );
}

function partOf(text: string): PartOfText {
  const [, part, parts] = /^(\d{1,7})\/(\d{1,7})$/.exec(text) ?? [];
  const found = { part: Number(part), parts: Number(parts) };
  if (found.parts > maxParts) throw new InvalidArgumentError(`at most ${maxParts} parts are possible.`);
  if (found.part >= 1 && found.part <= found.parts) return found;
  throw new InvalidArgumentError("k/n is wanted, k from 1 to n, such as 3/64.");
}

/** What has no meaning where parts are merged: they say it themselves. */
const ofTexts = ["corpus", "hidden", "field", "column", "tokenDtype", "separator", "context", "tokens", "bos"] as const;
/** What has no meaning for ids that were made before. */
const ofFiles = ["hidden", "field", "column", "tokenDtype", "separator"] as const;
/** What has no meaning for one part. */
const ofRuns = [...ofFiles, "out", "force"] as const;

type Given = PartsArguments & Partial<Record<(typeof ofTexts)[number] | (typeof ofRuns)[number], unknown>>;

/** @throws UsageError if the options contradict one another */
export function checkPartsOptions(args: Given): void {
  const { part, parts, merge, queue, split } = args;
  if (split !== undefined && queue === undefined) throw new UsageError("--split", "is for --queue");
  if (merge !== undefined) {
    if (part || parts !== undefined || queue !== undefined)
      throw new UsageError("--merge", "adds up parts; --part, --parts and --queue make them");
    refuse(args, ofTexts, "is of a text; --merge takes the place of one");
    return;
  }
  if (queue !== undefined) {
    if (part) throw new UsageError("--part", "computes a part here; with --queue workers compute them");
    if (parts === undefined) throw new UsageError("--queue", "needs --parts, a folder that all workers share");
    if (args.corpus === undefined)
      throw new UsageError("--queue", "needs --corpus, a folder that unembed tokenize wrote");
    refuse(args, ofFiles, "was settled by unembed tokenize");
  } else if (part) {
    if (parts === undefined) throw new UsageError("--part", "needs --parts, the folder that the part is written to");
    if (args.corpus === undefined)
      throw new UsageError("--part", "needs --corpus, a folder that unembed tokenize wrote");
    refuse(args, ofRuns, "has no meaning for one part");
  } else if (parts !== undefined) {
    throw new UsageError("--parts", "needs --part k/n, the part to compute, or --queue, where workers find them");
  }
}

function refuse(args: Given, options: readonly (keyof Given)[], why: string): void {
  const given = options.find((option) => args[option] !== undefined && !(option === "bos" && args.bos === "auto"));
  if (given !== undefined) throw new UsageError(flagOf(given), why);
}

/** Computes one part and says where it lies. */
export async function runPart(modelName: string, args: PartArguments, signal: AbortSignal): Promise<void> {
  const folder = resolve(args.parts!);
  await makePartsFolder(folder);
  await checkWritable(folder);
  const line = runLine(process.stderr, args);
  const hub = hubOptions(line, signal);
  const text = await openCorpus(args.corpus ?? [], {}, hub);
  const engine = { ...engineOptions(args, line), ...memoryUse(args, line) };
  const model = await loadModel(modelName, { ...engine, tokenizer: args.tokenizer, ...hub });
  try {
    const collected = await collectPart(model, text, args.part, folder, {
      ...{ contextLength: args.context, tokens: args.tokens, beginOfText: args.bos },
      ...{ signal, onEvent: line.onEvent },
    });
    line.stop();
    if (args.json) console.log(JSON.stringify(collected));
    else if (!args.quiet) console.log(partLine(collected));
  } finally {
    line.stop();
    await model.close();
  }
}

function partLine({ path, part, parts, windows, contexts, found }: CollectedPart): string {
  const [count, all, tokens] = [windows.end - windows.first, windows.all, contexts].map((n) => n.toLocaleString("en"));
  return `part ${part} of ${parts}, ${count} of ${all} windows, ${tokens} tokens: ${path}${found ? " (was there)" : ""}`;
}

/** The analysis of all parts in a folder, written as that of a text is. */
export async function analyzeMerged(
  modelName: string,
  folder: string,
  out: string,
  asked: Asked,
  args: RunArguments & { seed: number },
  signal: AbortSignal,
): Promise<Analysis> {
  const line = runLine(process.stderr, args);
  const options = { ...engineOptions(args, line), tokenizer: args.tokenizer, ...hubOptions(line, signal) };
  const model = await loadModel(modelName, options);
  try {
    const merged = await mergeParts(model, folder, { signal, onEvent: line.onEvent });
    const analysis = await readEncoding(model, merged, { seed: args.seed });
    await writeAnalysisRun(out, analysis, asked);
    return analysis;
  } finally {
    line.stop();
    await model.close();
  }
}

/** Windows of a part, where nobody says how many parts there are to be: a million tokens in windows of 256. */
const usualPartWindows = 4096;
const fewestParts = 16;

/** The analysis of a text whose parts workers compute. */
export async function analyzeQueued(
  modelName: string,
  queue: string,
  out: string,
  asked: Asked,
  args: Omit<PartArguments, "part"> & { seed: number },
  signal: AbortSignal,
): Promise<Analysis> {
  const server = parseQueueUrl(queue);
  const parts = resolve(args.parts!);
  await makePartsFolder(parts);
  const line = runLine(process.stderr, args);
  const hub = hubOptions(line, signal);
  const [folder = ""] = args.corpus ?? [];
  const text = await openCorpus(args.corpus ?? [], {}, hub);
  const model = await loadModel(modelName, { threads: args.threads, tokenizer: args.tokenizer, ...hub });
  const how = {
    contextLength: args.context,
    tokens: args.tokens,
    beginOfText: args.bos as "auto" | "always" | "never",
  };
  try {
    const { windows } = await identifyParts(model, text, 1, how);
    const names = { model: existsSync(modelName) ? resolve(modelName) : modelName, corpus: resolve(folder), parts };
    const split = args.split ?? partsFor(windows);
    const merged = await coordinate(
      model,
      text,
      { server, names, how, parts: split, signal, onEvent: line.onEvent },
      (identity) => mergeParts(model, parts, { identity, signal, onEvent: line.onEvent }),
    );
    const analysis = await readEncoding(model, merged, { seed: args.seed });
    await writeAnalysisRun(out, analysis, asked);
    return analysis;
  } finally {
    line.stop();
    await model.close();
  }
}

function partsFor(windows: number): number {
  const blocks = Math.ceil(windows / blockWindows);
  return Math.max(1, Math.min(blocks, Math.max(fewestParts, Math.ceil(windows / usualPartWindows))));
}
