import { realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { InputError } from "../errors.js";
import { editedCheckpoint } from "../export/edited-checkpoint.js";
import type { HeadChange } from "../model/head-change.js";
import type { HeadModel } from "../model/head-model.js";
import { type FileContents, temporaryName, writeFolderAtomic } from "./write-atomic.js";

export interface SaveOptions {
  /** Replace a folder that is there. */
  force?: boolean | undefined;
  /** Files to put beside, such as a record of what was done. */
  files?: Iterable<readonly [name: string, contents: FileContents]> | undefined;
}

/**
 * Writes a model with another head as a complete folder that transformers and unembed load. It appears whole or not at all.
 *
 *     await saveModel(model, { rows: solution.rows }, "gpt2-less-the");
 *
 * @throws InputError if the folder is there already, lies inside the model's own, or cannot be written; if the
 * architecture has no place for the change
 */
export async function saveModel(
  model: HeadModel,
  change: HeadChange,
  out: string,
  { force = false, files = [] }: SaveOptions = {},
): Promise<void> {
  await checkOut(model, out, force);
  const contents = [...(await editedCheckpoint(model, change)), ...files];
  const target = resolve(out);
  if (!(await exists(target))) return writeFolderAtomic(target, contents);
  // Both are whole at every moment; only their names change hands.
  const [made, old] = [join(dirname(target), temporaryName()), join(dirname(target), temporaryName())];
  await writeFolderAtomic(made, contents);
  await rename(target, old);
  await rename(made, target);
  await rm(old, { recursive: true });
}

/**
 * Fails before the work rather than after it.
 * @throws InputError if the folder is there already, or it and the model's own are inside one another
 */
export async function checkOut(model: HeadModel, out: string, force = false): Promise<void> {
  const target = await nearestReal(resolve(out));
  if (await exists(model.folder.name)) {
    const own = await realpath(model.folder.name);
    if (isInside(own, target) || isInside(target, own)) {
      throw new InputError(out, `and the model's own folder, ${model.folder.name}, may not lie inside one another`);
    }
  }
  if (!force && (await exists(target))) throw new InputError(out, "is there already; --force replaces it");
}

/** The path with its existing part's symlinks resolved. */
async function nearestReal(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    return dirname(path) === path ? path : join(await nearestReal(dirname(path)), basename(path));
  }
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === "" || !(way === ".." || way.startsWith(`..${sep}`));
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
