import { basename } from "node:path";

/** The command line as a person would type it again. @param words the command and its arguments */
export function commandLine(words: readonly string[]): string {
  const quote = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
  return ["unembed", ...words.map(quote)].join(" ");
}

/** A model's name as a part of a folder's name. */
export function folderName(modelName: string): string {
  return basename(modelName).replace(/[^\w.-]+/g, "-") || "model";
}

/** The flag of an option by its name in code: tokenDtype is --token-dtype. */
export function flagOf(option: string): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
