import { type Command, Option } from "commander";
import type { CorpusOptions } from "../../corpus/file-documents.js";
import type { TokenDType } from "../../corpus/tokens/id-files.js";
import { InputError } from "../../errors.js";
import type { HeadModel } from "../../model/head/head-model.js";

/** How the files of a corpus are read, as a command line says it. */
export interface ReadingArguments {
  field?: string;
  column?: string;
  tokenDtype?: TokenDType;
}

/** The same, and how their documents are joined. */
export interface TextArguments extends ReadingArguments {
  separator?: string;
}

/** Adds the options that say how the files of a corpus are read. */
export function readingOptions(command: Command): Command {
  return command
    .option(
      "--field <name>",
      "field of .json and .jsonl documents that holds the text, also inside: a.b (default: text)",
    )
    .option("--column <name>", "column of .parquet files that holds the text (default: text)")
    .addOption(new Option("--token-dtype <type>", "number type of .bin token files").choices(["uint16", "uint32"]));
}

/** Adds the same, and how their documents are joined. */
export function textOptions(command: Command): Command {
  return readingOptions(command).option(
    "--separator <text>",
    "token put between documents, none for nothing (default: end-of-text, within files)",
  );
}

export function readingOf({ field, column, tokenDtype: tokenDType }: ReadingArguments): CorpusOptions {
  return { field, column, tokenDType };
}

/** The id that `--separator` names: a token's text, or `none`. @throws InputError if it is not one token */
export async function separatorId(
  model: Pick<HeadModel, "tokenizer">,
  text: string | undefined,
): Promise<number | null | undefined> {
  if (text === undefined || text === "none") return text === undefined ? undefined : null;
  const ids = (await model.tokenizer()).encode(text);
  if (ids.length === 1) return ids[0]!;
  throw new InputError("--separator", `${JSON.stringify(text)} is ${ids.length} tokens; one is wanted`);
}
