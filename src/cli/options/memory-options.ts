import { type Command, InvalidArgumentError, Option } from "commander";
import { type StateType, stateTypes } from "../../model/pass/state-place.js";
import { type MemoryOptions, usualMemory } from "../../node/load-model.js";
import type { RunLine } from "../progress/run-line.js";

/** The options of memory, read. */
export interface MemoryArguments {
  maxMemory?: number;
  hiddenDtype?: StateType;
}

/** Adds the options for models that are larger than memory. */
export function memoryOptions(command: Command): Command {
  return command
    .option(
      "--max-memory <size>",
      "memory for the model, like 8GB; layers of a larger one take turns (default: three quarters of what is free)",
      byteSize,
    )
    .addOption(
      new Option(
        "--hidden-dtype <type>",
        "number type of hidden states between layers that take turns, in a file (default: float32)",
      ).choices(stateTypes),
    );
}

/** What they ask of a model, and its layers on the command's line. @param models that are in memory together */
export function memoryUse(
  { maxMemory, hiddenDtype }: MemoryArguments,
  { onEvent }: RunLine,
  models = 1,
): MemoryOptions {
  return {
    maxMemory: maxMemory === undefined && models === 1 ? undefined : (maxMemory ?? usualMemory()) / models,
    hiddenType: hiddenDtype,
    onLayers: ({ first, end, of, done, total }) =>
      onEvent({ type: "progress", phase: `layers ${first + 1} to ${end} of ${of}`, done, total, unit: "tokens" }),
  };
}

const units: Readonly<Record<string, number>> = {
  "": 1,
  ...{ k: 1e3, m: 1e6, g: 1e9, t: 1e12 },
  ...{ ki: 2 ** 10, mi: 2 ** 20, gi: 2 ** 30, ti: 2 ** 40 },
};

/** Bytes, as "8GB", "1.5 GB", "800MiB" or a plain number of them. */
export function byteSize(text: string): number {
  const [, digits, unit] = /^\s*(\d+(?:\.\d+)?)\s*([kmgt]?i?)b?\s*$/i.exec(text) ?? [];
  const factor = units[unit?.toLowerCase() ?? "?"];
  const bytes = factor === undefined ? 0 : Math.floor(Number(digits) * factor);
  if (!(bytes > 0)) throw new InvalidArgumentError("a size like 8GB, 1.5GB or 800MB is wanted.");
  return bytes;
}
