import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../../../errors.js";
import { readSafetensorsHeader } from "../../../tensor/safetensors/safetensors.js";
import { checkWritable } from "../../files/check-writable.js";
import { openFileSource } from "../../files/file-source.js";
import { temporaryPrefix } from "../../files/leftovers.js";
import { whileLocked } from "../../files/path-lock.js";
import { type Asked, type RunKind, runSchema } from "../write/run-record.js";
import { unfinishedFile, unfinishedFolder } from "./unfinished-names.js";

/** Arguments that change neither what a run finds nor what its files hold. */
export const immaterialArguments: ReadonlySet<string> = new Set([
  ...["threads", "maxMemory", "json", "quiet", "force", "out", "report"],
]);
/** Characters of the command that are shown of a run that is in the way. */
const shownCommand = 200;

/** What a folder is wanted for. */
export interface ClaimingRun extends Asked {
  readonly kind: RunKind;
  /** Take the place of another run that is there, finished or not. */
  readonly force?: boolean | undefined;
}

/**
 * Does the work of a run while its folder is taken: no other process writes there meanwhile, and nothing that is there is
 * another run's. A run with the same arguments goes on from what is there, or takes its place.
 * @throws InputError if another process writes there, or if the folder holds another run, or cannot be written
 */
export async function inRunFolder<Result>(
  folder: string,
  run: ClaimingRun,
  work: () => Promise<Result>,
): Promise<Result> {
  await checkWritable(folder);
  return whileLocked(folder, async () => {
    await refuseOtherRun(folder, run);
    return work();
  });
}

/** @throws InputError saying which other run is there; with `force` what another run left unfinished is deleted */
async function refuseOtherRun(folder: string, run: ClaimingRun): Promise<void> {
  const finished = await finishedRun(folder);
  if (finished && !run.force && !isSame(finished, run)) {
    throw new InputError(folder, `holds ${described(finished)}`, { remedy: "force" });
  }
  for (const name of await unfinishedNames(folder)) {
    const left = await unfinishedRun(join(folder, name));
    if (isSame(left, run)) continue;
    if (!run.force) {
      throw new InputError(folder, `holds what was reached of ${described(left)}`, { remedy: "force" });
    }
    await rm(join(folder, name), { recursive: true });
  }
}

/** A run as far as what it left tells: nothing is known of what another program wrote. */
type KnownRun = { readonly kind?: unknown; readonly command?: unknown; readonly arguments?: unknown };

function isSame({ kind, arguments: args }: KnownRun, run: ClaimingRun): boolean {
  return kind === run.kind && canonical(args) === canonical(run.arguments);
}

function described({ kind, command }: KnownRun): string {
  if (kind === undefined) return "a run.json that no run of unembed wrote";
  return `another run: ${typeof command === "string" ? command.slice(0, shownCommand) : `unembed ${kind}`}`;
}

/** What is material of arguments, in one order. */
function canonical(args: unknown): string {
  if (typeof args !== "object" || args === null) return "";
  const written = JSON.parse(JSON.stringify(args)) as Record<string, unknown>;
  const entries = Object.entries(written).filter(([name]) => !immaterialArguments.has(name));
  return JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function finishedRun(folder: string): Promise<KnownRun | undefined> {
  let text: string;
  try {
    text = await readFile(join(folder, "run.json"), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    return {};
  }
  try {
    const { schema, kind, asked } = JSON.parse(text) as { schema?: unknown; kind?: unknown; asked?: Partial<Asked> };
    return schema === runSchema ? { kind: kind ?? "", ...asked } : {};
  } catch {
    return {};
  }
}

async function unfinishedNames(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((): string[] => []);
  return names.filter((name) => name === unfinishedFile || name === unfinishedFolder);
}

/** The run that keeps what it has reached in a file, or in the files of a folder. */
async function unfinishedRun(path: string): Promise<KnownRun> {
  const files = await readdir(path).then(
    (names) => names.filter((name) => !name.startsWith(temporaryPrefix)).map((name) => join(path, name)),
    () => [path],
  );
  try {
    const { metadata } = await readSafetensorsHeader(await openFileSource(files[0]!));
    return { kind: "", ...(JSON.parse(metadata.run!) as KnownRun) };
  } catch {
    return { kind: "" };
  }
}
