import type { Command } from "commander";
import type { BeginOfText } from "../../model/contexts/begin-of-text.js";
import type { Model } from "../../model/model.js";
import { openCorpus } from "../../node/corpus/open-corpus.js";
import type { HubOptions } from "../../node/hub/repository.js";
import { defaultCorpus, embeddedTexts } from "../../node/load-model.js";
import { UsageError } from "../usage-error.js";
import { bosOption, collectedPaths, contextOption, tokenizerOption, tokensOption } from "./common-options.js";
import { positiveInteger } from "./numbers.js";
import { readingOf, separatorId, type TextArguments } from "./text-options.js";

/** What says which text something is fitted to and on which other it is measured, and how both are read. */
export interface TextPairArguments extends TextArguments {
  corpus?: string[];
  tokens: number;
  context?: number;
  bos: BeginOfText;
  check?: string[];
  checkTokens: number;
}

/** How the help of a command calls the two. */
export interface TextPairWords {
  readonly tokens: string;
  readonly usualTokens: number;
  readonly check: string;
  readonly checkTokens: string;
  readonly usualCheckTokens: number;
}

/** Adds the options of a fitting text and of unseen text; `--corpus` and how files are read stand before them. */
export function textPairOptions(command: Command, words: TextPairWords): Command {
  return command
    .addOption(tokensOption(words.tokens, words.usualTokens))
    .addOption(contextOption())
    .addOption(tokenizerOption())
    .addOption(bosOption())
    .option("--check <file...>", words.check, collectedPaths)
    .option("--check-tokens <n>", words.checkTokens, positiveInteger, words.usualCheckTokens);
}

/** Both texts, opened, and how much of them is read. @throws InputError if one is not there */
export async function openTextPair(model: Model, args: TextPairArguments, hub: HubOptions) {
  const reading = readingOf(args);
  return {
    corpus: await openCorpus(args.corpus ?? [defaultCorpus], reading, hub),
    check: await openCorpus(args.check ?? [embeddedTexts.inDomain], reading, hub),
    ...(await textPairReading(model, args)),
  };
}

/** How much of the two texts is read, and how it is cut. */
export async function textPairReading(model: Model, args: TextPairArguments) {
  return {
    ...{ tokens: args.tokens, checkTokens: args.checkTokens, contextLength: args.context, beginOfText: args.bos },
    separator: await separatorId(model, args.separator),
  };
}

/** @param texts all that are read, as often as they are read @throws UsageError if standard input is wanted twice */
export function checkReadOnce(texts: readonly (readonly string[] | undefined)[]): void {
  if (texts.filter((files) => files?.includes("-")).length < 2) return;
  throw new UsageError("--check", "- can be read only once, and is wanted twice: give a file");
}
