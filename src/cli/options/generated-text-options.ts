import type { Command } from "commander";
import type { TextsToGenerate } from "../../runs/steering/steer-options.js";
import { integerUpTo, positiveInteger, wholeNumber } from "./numbers.js";

/** The options of generated texts, read. */
export interface GeneratedTextArguments {
  prompt?: string[];
  texts: number;
  textTokens: number;
}

const maxTexts = 10_000;

/** Adds the options that go with texts generated before and after an edit. */
export function generatedTextOptions(command: Command): Command {
  return command
    .option("--prompt <text...>", "what texts before and after begin with (default: windows of the unseen text)")
    .option("--texts <n>", "how many texts to write before and after, 0 for none", textCount, 16)
    .option("--text-tokens <n>", "tokens of each", positiveInteger, 48);
}

const textCount = integerUpTo(maxTexts, wholeNumber, `at most ${maxTexts} are possible.`);

export function textsToGenerate({ prompt, texts, textTokens }: GeneratedTextArguments): TextsToGenerate {
  return { prompts: prompt, count: texts, tokens: textTokens };
}
