import { type Command, InvalidArgumentError, Option } from "commander";
import type { BeginOfText } from "../../model/contexts/begin-of-text.js";
import { type DeviceChoice, deviceChoices } from "../../node/devices/open-engine.js";
import type { Precision } from "../../node/engine/engine-options.js";
import { maxThreads } from "../../node/load-model.js";
import { integerUpTo, positiveInteger, wholeNumber } from "./numbers.js";

/* Options that several commands have, each with one name and one meaning. */

/** @param what is done with the text */
export function corpusOption(
  what = "files, folders, globs, hf://datasets/org/name, - for stdin (default: embedded text)",
): Option {
  return new Option("--corpus <file...>", what).argParser(collectedPaths);
}

/** Texts of an option that may be given several times. */
export function collectedTexts(text: string, before: string[] = []): string[] {
  return [...before, text];
}

/** Paths of a variadic option. */
export function collectedPaths(path: string, before: string[] = []): string[] {
  if (path === "-" && before.includes("-")) throw new InvalidArgumentError("standard input can be read only once.");
  return [...before, path];
}

/** @param what the tokens are for @param byDefault how many; all of the corpus if left out */
export function tokensOption(
  what = "stop after this many tokens (default: the whole corpus)",
  byDefault?: number,
): Option {
  return withDefault(new Option("--tokens <n>", what).argParser(positiveInteger), byDefault);
}

export function contextOption(): Option {
  return new Option("--context <n>", "tokens per window (default: 256, or what the model can take)").argParser(
    positiveInteger,
  );
}

/** @param what begins with the token */
export function bosOption(what = "every window"): Option {
  return new Option(
    "--bos [when]",
    `start ${what} with the begin-of-text token; alone: always (auto: as its tokenizer does)`,
  )
    .choices(beginOfTextChoices)
    .preset("always")
    .default("auto");
}

export const beginOfTextChoices = ["auto", "always", "never"] as const satisfies BeginOfText[];

export function tokenizerOption(): Option {
  return new Option("--tokenizer <model>", "folder, GGUF file or hub id to take the tokenizer from (default: own)");
}

/** @param what is drawn by it. The same 0 everywhere, so that the same command gives the same numbers. */
export function seedOption(what: string): Option {
  return new Option("--seed <n>", what).argParser(wholeNumber).default(0);
}

/** @param what is written there, and where it goes without the option */
export function outOption(what: string, value = "folder"): Option {
  return new Option(`--out <${value}>`, what);
}

export function forceOption(what: string): Option {
  return new Option("--force", what);
}

const threadCount = integerUpTo(maxThreads, positiveInteger, `at most ${maxThreads} are possible.`);

/** How a command computes and what it prints: `--threads`, `--device`, `--precision`, `--json`, `--quiet`, `--verbose`. @param unsaid under --quiet */
export function runOptions(command: Command, unsaid = "no progress, no table"): Command {
  return printOptions(
    command
      .addOption(threadsOption())
      .addOption(deviceOption())
      .addOption(precisionOption())
      .option("--verbose", "say of each graph which operators run on the processor instead of the device"),
    unsaid,
  );
}

export function threadsOption(): Option {
  return new Option("--threads <n>", "processor cores to use (default: all)").argParser(threadCount);
}

/** Where to compute. */
function deviceOption(): Option {
  return new Option(
    "--device <device>",
    "where to compute (auto: the fastest that computes right; see unembed devices)",
  )
    .choices(deviceChoices)
    .env("UNEMBED_DEVICE")
    .default("cpu");
}

export function precisionOption(): Option {
  return new Option("--precision <type>", "of products with weights, on devices that have both")
    .choices(["float32", "float16"] satisfies Precision[])
    .default("float32");
}

/** What a command prints: `--json`, `--quiet`. @param unsaid under --quiet */
export function printOptions(command: Command, unsaid = "no progress, no table"): Command {
  return command.option("--json", "print the results as one JSON object to standard output").option("--quiet", unsaid);
}

/** The options of runOptions, read. */
export interface RunArguments extends PrintArguments {
  threads?: number;
  device: DeviceChoice;
  precision: Precision;
  verbose?: boolean;
  tokenizer?: string;
}

/** The options of printOptions, read. */
export interface PrintArguments {
  json?: boolean;
  quiet?: boolean;
}

function withDefault(option: Option, value: number | undefined): Option {
  return value === undefined ? option : option.default(value);
}
