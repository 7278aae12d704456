import { basename } from "node:path";
import type { Command } from "commander";
import { withoutPasswords } from "../../node/queue/connection.js";

/** The command line that a command was given, as a person would type it again. */
export function askedCommand(command: Command): string {
  // The words as they were given: commander keeps them, and its types do not say so.
  return commandLine((command.parent as Command & { readonly rawArgs: readonly string[] }).rawArgs);
}

/** @param words the command and its arguments */
function commandLine(words: readonly string[]): string {
  const quote = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
  return withoutPasswords(["unembed", ...words.map(quote)].join(" "));
}

/** A model's name as a part of a folder's name. */
export function folderName(modelName: string): string {
  return basename(modelName).replace(/[^\w.-]+/g, "-") || "model";
}

/** The flag of an option by its name in code: tokenDtype is --token-dtype. */
export function flagOf(option: string): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
