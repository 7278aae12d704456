import { readdir, realpath, rename, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { InputError } from "../../errors.js";
import { editedGguf, type GgufEdit } from "../../export/edited-gguf.js";
import { ggufFilesOf } from "../../model/gguf/gguf-folder.js";
import type { Head } from "../../model/head/head.js";
import type { HeadModel } from "../../model/head/head-model.js";
import { checkWritable } from "../files/check-writable.js";
import { clearLeftovers } from "../files/leftovers.js";
import { nearestReal } from "../files/real-path.js";
import { stageFolder, writeError } from "../files/write-atomic.js";
import { loadModel } from "../load-model.js";
import { type NamedFiles, stoppable } from "./save-model.js";

/** Where a changed GGUF model goes. */
export interface GgufPlaces {
  /** The file, or the folder for the shards of one. */
  readonly out: string;
  /** The folder of what was done and measured. */
  readonly report: string;
}

/** Default: beside the file or folder, `edited.report` of `edited.gguf`. */
export function reportBeside(out: string): string {
  return `${out.replace(/\.gguf$/i, "").replace(/[/\\]+$/, "")}.report`;
}

/**
 * Fails before the work rather than after it.
 * @throws InputError if a place is taken or cannot be written, or is the model's own
 */
export async function checkGgufOut(model: HeadModel, { out, report }: GgufPlaces, force = false): Promise<void> {
  const files = ggufFilesOf(model.folder) ?? [];
  const sharded = files.length > 1;
  const target = await nearestReal(resolve(out));
  await clearLeftovers(target);
  for (const { source } of files) {
    const own = await realpath(source.name).catch(() => undefined);
    if (own === target || (sharded && own !== undefined && dirname(own) === target)) {
      throw new InputError(out, "is the model's own place: write elsewhere");
    }
  }
  const info = await stat(target).catch(() => undefined);
  if (sharded && info?.isFile()) throw new InputError(out, "is a file, and the model is in shards: name a folder");
  if (!sharded && info?.isDirectory()) throw new InputError(out, "is a folder where a file is wanted: NAME.gguf");
  if (!sharded && !/\.gguf$/i.test(out)) throw new InputError(out, "is no name for a GGUF file: NAME.gguf is wanted");
  for (const place of [out, report]) await checkWritable(dirname(await nearestReal(resolve(place))));
  if (info !== undefined && !force) throw new InputError(out, "is there already", { remedy: "force" });
  if (sharded && info !== undefined) await requireMade(out, /\.gguf$/i, "holds no GGUF files");
  const reportInfo = await stat(report).catch(() => undefined);
  if (reportInfo === undefined) return;
  if (!reportInfo.isDirectory()) throw new InputError(report, "is a file where a folder for the report is wanted");
  if (!force) throw new InputError(report, "is there already", { remedy: "force" });
  await requireMade(report, /^run\.json$/, "holds no report (run.json)");
}

/** A mistyped name must not cost someone their home folder. */
async function requireMade(folder: string, wanted: RegExp, otherwise: string): Promise<void> {
  const names = await readdir(folder);
  if (names.length > 0 && !names.some((name) => wanted.test(name))) {
    throw new InputError(folder, `is there already and ${otherwise}: it is not replaced`);
  }
}

/**
 * Writes a GGUF model with another head, looks at the head that was written, and only then gives file and report their names.
 * @param examine is given the head as it lies on the disk; what it throws, nothing is left of; the files that it returns make
 * the report
 * @throws InputError as checkGgufOut and editedGguf
 */
export async function saveGguf<Found>(
  model: HeadModel,
  edit: GgufEdit,
  places: GgufPlaces,
  examine: (head: Head) => Promise<{ found: Found; files: NamedFiles }>,
  signal?: AbortSignal | undefined,
): Promise<Found> {
  const { out, report } = places;
  const files = await editedGguf(model, edit);
  const sharded = files.length > 1;
  const stage = await stageFolder(sharded ? out : `${out}.written`);
  const reportStage = await stageFolder(report).catch(async (error) => {
    await stage.discard();
    throw error;
  });
  try {
    const names = sharded ? files : files.map(([, contents]) => [basename(out), contents] as const);
    await stage.add(names.map(([name, contents]) => [name, stoppable(contents, signal)] as const));
    const examined = await withHeadOf(join(stage.path, names[0]![0]), model.engine.threads, examine);
    await reportStage.add(examined.files);
    signal?.throwIfAborted();
    await reportStage.commit();
    if (sharded) await stage.commit();
    else {
      await rename(join(stage.path, basename(out)), await nearestReal(resolve(out))).catch((error) => {
        throw writeError(out, error);
      });
      await stage.discard();
    }
    return examined.found;
  } catch (error) {
    await Promise.all([stage.discard(), reportStage.discard()]);
    throw error;
  }
}

async function withHeadOf<Result>(
  file: string,
  threads: number,
  use: (head: Head) => Promise<Result>,
): Promise<Result> {
  const written = await loadModel(file, { threads, device: "cpu" });
  try {
    return await use(written.head);
  } finally {
    await written.close();
  }
}
