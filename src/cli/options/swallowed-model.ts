import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { isEmbeddedModel } from "../../node/load-model.js";
import { UsageError } from "../usage-error.js";
import { flagOf } from "./arguments.js";

/** org/name, org/name@revision: one slash, and nothing that a glob or a file's name would have. */
const hubName = /^[\w-]+\/[\w.-]+(@[^/]+)?$/;
const textEnding = /\.(txt|json|jsonl|ndjson|csv|parquet|npy|bin|safetensors|gz|zst|md)$/i;

/**
 * `--corpus a.txt model` makes the model one more text, as an option of several values ends only at the next option.
 * @returns what to say if that is what seems to have happened
 */
export function swallowedModel(command: Command): UsageError | undefined {
  const wanted = command.registeredArguments[command.args.length];
  if (wanted === undefined || (wanted.variadic && command.args.length > 0)) return undefined;
  for (const option of command.options) {
    const name = option.attributeName();
    if (!option.variadic || command.getOptionValueSource(name) !== "cli") continue;
    const values = command.getOptionValue(name) as string[];
    const last = values.at(-1)!;
    if (values.length < 2 || !looksLikeModel(last)) continue;
    const call = `unembed ${[command.name(), ...command.args, last].join(" ")} ${flagOf(name)} ...`;
    return new UsageError(flagOf(name), `took ${last} too, which looks like a model: put it first, as in ${call}`);
  }
  return undefined;
}

function looksLikeModel(path: string): boolean {
  if (isEmbeddedModel(path) || existsSync(join(path, "config.json"))) return true;
  return hubName.test(path) && !textEnding.test(path) && !existsSync(path);
}
