import { type Command, Option } from "commander";
import { type ModelFormat, modelFormats } from "../../export/model-formats.js";
import { isGgufName } from "../../node/hub/model-folder.js";
import { UsageError } from "../usage-error.js";

/** What says where a changed model is written, or that none is. */
export interface ModelFolderArguments {
  format: ModelFormat;
  savePlan?: string;
  report?: string;
  out?: string;
  force?: boolean;
  dryRun?: boolean;
}

/** @param what the formats are for */
export function formatOption(what: string): Option {
  return new Option("--format <name>", what).choices(modelFormats).default("safetensors");
}

/** Adds `--dry-run` and `--report`. @param where the page of a dry run goes without it */
export function dryRunOptions(command: Command, where = ""): Command {
  return command
    .option("--dry-run", "measure and write no model")
    .option("--report <folder>", `of a dry run: where its page goes${where}`);
}

/** @param noGguf why no GGUF file can be written @throws UsageError if it is not said where to write, or contradicts itself */
export function checkModelFolder({ out, dryRun, report }: ModelFolderArguments, noGguf: string): void {
  if (out === undefined && !dryRun) throw new UsageError("--out", "is missing: where to write (or --dry-run)");
  if (out !== undefined && isGgufName(out)) {
    throw new UsageError("--out", `is a GGUF file's name: ${noGguf}; a folder is written, as --format says`);
  }
  if (report !== undefined && !dryRun) {
    throw new UsageError("--report", "is for --dry-run: beside a model, the report is in its folder");
  }
}
