import { createHash } from "node:crypto";
import { basename, dirname } from "node:path";
import type { Command } from "commander";
import { immaterialArguments } from "../../node/runs/folder/claim-folder.js";
import { folderName } from "./arguments.js";

/** Hexadecimal digits that tell other arguments apart. */
const digits = 6;

/**
 * Where a run goes that is not told where: `analyze-<model>`, the text's name and the number of tokens where they are given, and
 * a few digits that stand for all that these do not say. The same arguments have the same name, others another.
 *
 *     analyze-tiny-books, analyze-tiny-books-1000, analyze-my-model-held-out-20000-3fa91c
 *
 * @param shown what the run is about, as it stands in the name @param exact the same as it was given
 */
export function defaultName(command: Command, shown: string, exact: unknown): string {
  const given = givenArguments(command);
  const { corpus, hidden, tokens } = given;
  const text = Array.isArray(corpus) ? textName(corpus[0] as string) : hidden && textName(hidden as string);
  const { tokens: _, ...others } = given;
  const unsaid = { ...(exact === shown ? {} : { exact }), ...others };
  const hash =
    Object.keys(unsaid).length > 0 &&
    createHash("sha256").update(JSON.stringify(unsaid)).digest("hex").slice(0, digits);
  return [command.name(), shown, text, tokens, hash].filter(Boolean).join("-");
}

/** What was asked for beyond what every run has, in one order. */
function givenArguments(command: Command): Record<string, unknown> {
  const given = command.options
    .map((option) => [option.attributeName(), command.getOptionValue(option.attributeName()), option.defaultValue])
    .filter(([name, value, byDefault]) => !immaterialArguments.has(name as string) && !isSame(value, byDefault));
  return Object.fromEntries(given.sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)));
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** `texts/held-out.txt.gz` is held-out, `texts/*.txt` texts, `-` stdin. */
function textName(path: string): string {
  if (path === "-") return "stdin";
  const name = basename(path);
  const own = /[*?{[]/.test(name) ? basename(dirname(path)) : name.replace(/^(.+?)\..*$/, "$1");
  return folderName(own);
}
