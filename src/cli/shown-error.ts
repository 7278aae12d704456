import type { Command } from "commander";
import { type InputError, onOneLine } from "../errors.js";

/** What the library calls otherwise than the command line does. */
const names: Record<string, readonly string[]> = {
  contextLength: ["context"],
  beginOfText: ["bos"],
  tensorName: ["headTensor", "tensor"],
};

/** How the option that an error names would help. */
const remedies: Record<string, (flag: string) => string> = {
  force: (flag) => `${flag} replaces it`,
  tensorName: (flag) => `name it with ${flag}`,
  list: (flag) => `${flag} shows all`,
};

/**
 * An InputError in the words of the command line: an option at fault is called by its flag, and one that would help is named.
 * @param args words of the command line: a file may be called as an option is
 */
export function shownError(error: InputError, command: Command | undefined, args: readonly string[]): string {
  const { place, problem, remedy } = error;
  const flag = args.includes(place) ? undefined : flagIn(command, place);
  const help = remedy === undefined ? undefined : flagIn(command, remedy);
  const hint = help === undefined ? "" : `; ${remedies[remedy!]?.(help) ?? `see ${help}`}`;
  return onOneLine(`${flag ?? place}: ${problem}${hint}`);
}

/** The flag that the command has for an option of the library. */
function flagIn(command: Command | undefined, name: string): string | undefined {
  const known = names[name] ?? [name];
  const option = command?.options.find((one) => known.includes(one.attributeName()));
  return option?.long ?? undefined;
}
