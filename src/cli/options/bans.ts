import { type Command, Option } from "commander";
import {
  type BanOptions,
  banMethods,
  defaultBanLag,
  defaultBanTries,
  type TextBanMethod,
} from "../../generation/bans/ban.js";
import { UsageError } from "../usage-error.js";
import { flagOf } from "./arguments.js";
import { collectedTexts } from "./common-options.js";
import { positiveInteger } from "./numbers.js";
import { readList } from "./plan-options.js";

/** The arguments that say what must not be written. */
export interface BanArguments {
  ban?: string[];
  banFile?: string[];
  banMethod: TextBanMethod;
  ignoreCase?: boolean;
  banLag: number;
  banTries: number;
  temperature: number;
}

/** Adds the options that say what must not be written. */
export function banOptions(command: Command): Command {
  return command
    .option(
      "--ban <text>",
      "a phrase, or a pattern as '/regex/flags', that is never written; may be given several times",
      collectedTexts,
    )
    .option("--ban-file <file>", "phrases and patterns, one a line; may be given several times", collectedTexts)
    .addOption(
      new Option(
        "--ban-method <method>",
        "take back what leads there, forbid the token that completes it, or begin again",
      )
        .choices(banMethods)
        .default("aligned"),
    )
    .option("--ignore-case", "phrases and patterns match in whatever case")
    .option("--ban-lag <n>", "tokens that aligned takes back at most", positiveInteger, defaultBanLag)
    .option("--ban-tries <n>", "how often reject begins a text", positiveInteger, defaultBanTries);
}

/** @param given whether an option stands on the command line @throws UsageError if they make no sense together */
export function checkBans(args: BanArguments, given: (option: keyof BanArguments) => boolean): void {
  const { ban, banFile, banMethod, temperature } = args;
  const alone = (["banMethod", "ignoreCase", "banLag", "banTries"] as const).find(given);
  if (alone !== undefined && ban === undefined && banFile === undefined) {
    throw new UsageError(flagOf(alone), "is for --ban and --ban-file, and nothing is banned");
  }
  if (given("banLag") && banMethod !== "aligned") throw new UsageError("--ban-lag", "is for --ban-method aligned");
  if (given("banTries") && banMethod !== "reject") throw new UsageError("--ban-tries", "is for --ban-method reject");
  if (banMethod === "reject" && temperature === 0) {
    throw new UsageError(
      "--ban-method",
      "reject writes the text again, and --temperature 0 always writes the same one",
    );
  }
}

/** What must not be written, with the lines of files; empty lines are none. @throws InputError if a file cannot be read */
export async function bansOf(args: BanArguments): Promise<BanOptions> {
  const { ban = [], banFile = [], banMethod, ignoreCase, banLag, banTries } = args;
  const lists = await Promise.all(banFile.map(readList));
  const lines = lists.flatMap((list) => list.split(/\r?\n/)).filter((line) => line !== "");
  return { ban: [...ban, ...lines], banMethod, ignoreCase, banLag, banTries };
}
