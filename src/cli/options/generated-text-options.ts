import type { Command } from "commander";
import type { TextsToGenerate } from "../../runs/steering/steer-options.js";
import { integerUpTo, positiveInteger, wholeNumber } from "./numbers.js";

/** The options of generated texts, read. */
export interface GeneratedTextArguments {
  prompt?: string[];
  /** true without a number. */
  texts?: number | true;
  textTokens: number;
}

const maxTexts = 10_000;
const usualTexts = 16;

/** Adds the options that go with texts generated before and after an edit. */
export function generatedTextOptions(command: Command): Command {
  return command
    .option("--prompt <text...>", "what texts before and after begin with (default: windows of the unseen text)")
    .option("--texts [n]", `write texts before and after, ${usualTexts} without a number (default: none)`, textCount)
    .option("--text-tokens <n>", "tokens of each", positiveInteger, 48);
}

const textCount = integerUpTo(maxTexts, wholeNumber, `at most ${maxTexts} are possible.`);

/** Prompts that are given ask for texts too. */
export function textsToGenerate({ prompt, texts, textTokens }: GeneratedTextArguments): TextsToGenerate {
  const unsaid = prompt === undefined ? 0 : usualTexts;
  return { prompts: prompt, count: texts === true ? usualTexts : (texts ?? unsaid), tokens: textTokens };
}
