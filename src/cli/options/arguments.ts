import { basename } from "node:path";
import { InvalidArgumentError } from "commander";

/** Reads an option as a whole number above zero. @throws InvalidArgumentError, which commander turns into bad usage */
export function positiveInteger(text: string): number {
  const value = wholeNumber(text);
  if (value === 0) throw new InvalidArgumentError("a whole number above 0 is wanted.");
  return value;
}

/** Reads an option as a whole number, digits and _ only. */
export function wholeNumber(text: string): number {
  const value = Number(text.replaceAll("_", ""));
  if (!/^[0-9_]+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError("a whole number is wanted.");
  }
  return value;
}

/** The command line as a person would type it again. @param words the command and its arguments */
export function commandLine(words: readonly string[]): string {
  const quote = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
  return ["unembed", ...words.map(quote)].join(" ");
}

/** A model's name as a part of a folder's name. */
export function folderName(modelName: string): string {
  return basename(modelName).replace(/[^\w.-]+/g, "-") || "model";
}
