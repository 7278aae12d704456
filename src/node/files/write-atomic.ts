import { mkdirSync, renameSync, rmdirSync } from "node:fs";
import { type FileHandle, mkdir, open, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { InputError } from "../../errors.js";
import { removeEmptyFolders } from "./empty-folders.js";
import { fileError } from "./file-source.js";
import { asidePrefix, deleteAtExit, temporaryName } from "./leftovers.js";

/** Text is written as UTF-8; chunks are asked for one by one, so that a large file need not be in memory. */
export type FileContents = string | Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * Writes a file so that its name holds either what was there before or all of the new contents, even after a crash or
 * a power cut. Nothing is left of a write that fails. A symlink is followed.
 * @throws InputError if the file cannot be written; what the contents throw passes unchanged
 */
export async function writeFileAtomic(path: string, contents: FileContents): Promise<void> {
  const target = await resolveTarget(path);
  const temporary = join(dirname(target), temporaryName());
  try {
    await writeThrough(temporary, contents, path);
    await naming(path, rename(temporary, target));
    await syncFolder(dirname(target));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Writes the files of a folder, all or none. A new folder appears with everything in it; in an existing one, the files
 * are all written first and then take their names one after the other, other files staying as they are. Missing parents
 * are made, and removed again if the write fails.
 * @param files contents by file name, with "/" between folders
 * @throws InputError if something cannot be written; what the contents throw passes unchanged
 */
export async function writeFolderAtomic(
  path: string,
  files: Iterable<readonly [name: string, contents: FileContents]>,
): Promise<void> {
  const target = await resolveTarget(path);
  const exists = await isFolder(path, target);
  // Inside an existing folder: its parent may lie on another disk, or not be ours to write.
  const stage = await stageIn(exists ? target : dirname(target), path);
  try {
    const names = await stage.add(files);
    if (!exists) return await stage.rename(target);
    await makeReplaceable(path, target, names);
    for (const name of names) await naming(join(path, name), rename(join(stage.path, name), join(target, name)));
  } catch (error) {
    await stage.discard();
    throw error;
  }
  await stage.discard();
  await syncFolder(target);
}

/** A folder that is being written under a name of its own and can be read there. */
export interface StagedFolder {
  readonly path: string;
  /** @returns the names */
  add(files: Iterable<readonly [name: string, contents: FileContents]>): Promise<string[]>;
  /** Gives it its name, in place of a folder that has it. Killed between the two renames, clearLeftovers mends it. */
  commit(): Promise<void>;
  /** Deletes it, and the parents that were made for it. */
  discard(): Promise<void>;
}

/**
 * Begins a folder that appears under its name only when it is committed. Missing parents are made.
 * @throws InputError if it cannot be made; the methods, if something cannot be written
 */
export async function stageFolder(path: string): Promise<StagedFolder> {
  const target = await resolveTarget(path);
  const exists = await isFolder(path, target);
  const stage = await stageIn(dirname(target), path);
  return { ...stage, commit: () => (exists ? stage.replace(target) : stage.rename(target)) };
}

async function stageIn(parent: string, shownPath: string) {
  const firstMade = await naming(shownPath, mkdir(parent, { recursive: true }));
  const path = join(parent, temporaryName());
  const atExit = deleteAtExit(path);
  await naming(shownPath, mkdir(path)).catch(async (error) => {
    await discard();
    throw error;
  });
  return {
    path,
    discard,
    async add(files: Iterable<readonly [name: string, contents: FileContents]>) {
      const names = await writeStage(path, files, shownPath);
      for (const folder of new Set([...names.map((name) => dirname(join(path, name))), path])) await syncFolder(folder);
      return names;
    },
    async rename(target: string) {
      await naming(shownPath, rename(path, target));
      atExit.release();
      await syncFolder(parent);
    },
    async replace(target: string) {
      const aside = join(parent, temporaryName(asidePrefix));
      exchange(path, target, aside, shownPath);
      atExit.release();
      await syncFolder(parent);
      // The new folder is in its place: where the old one cannot be deleted now, the next run tries again.
      await rm(aside, { recursive: true }).catch(() => {});
    },
  };

  async function discard() {
    await rm(path, { recursive: true, force: true });
    atExit.release();
    if (firstMade !== undefined) await removeEmptyFolders(parent, firstMade);
  }
}

/** Synchronous, so that nothing but the death of the process comes between the two renames. */
function exchange(made: string, target: string, aside: string, shownPath: string): void {
  const old = join(aside, basename(target));
  try {
    mkdirSync(aside);
    renameSync(target, old);
    try {
      renameSync(made, target);
    } catch (error) {
      renameSync(old, target);
      throw error;
    }
  } catch (error) {
    try {
      rmdirSync(aside);
    } catch {
      // It could not be made, or still holds the old folder: clearLeftovers gives that its name back.
    }
    throw writeError(shownPath, error);
  }
}

async function writeStage(
  stage: string,
  files: Iterable<readonly [name: string, contents: FileContents]>,
  path: string,
): Promise<string[]> {
  const names: string[] = [];
  for (const [name, contents] of files) {
    if (!name.split("/").every(isPlainName)) throw new InputError(path, `${JSON.stringify(name)} is not a file name`);
    // The stage itself is there, or was taken away, and then nothing may be written in its place.
    if (name.includes("/")) await naming(join(path, name), mkdir(dirname(join(stage, name)), { recursive: true }));
    await writeThrough(join(stage, name), contents, join(path, name));
    names.push(name);
  }
  return names;
}

function isPlainName(name: string): boolean {
  return basename(name) === name && name !== "" && name !== "." && name !== ".." && !name.includes("\0");
}

/** Writes a new file down to the disk itself. @param shownPath the path that the user knows it by */
async function writeThrough(path: string, contents: FileContents, shownPath: string): Promise<void> {
  const file = await naming(shownPath, open(path, "wx"));
  try {
    for await (const chunk of chunksOf(contents)) await naming(shownPath, writeAll(file, chunk));
    await naming(shownPath, file.sync());
  } finally {
    await file.close();
  }
}

/** The contents as bytes. */
export function chunksOf(contents: FileContents): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  if (typeof contents === "string") return [new TextEncoder().encode(contents)];
  return contents instanceof Uint8Array ? [contents] : contents;
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let written = 0; written < bytes.byteLength; ) {
    // One system call takes at most 2 GiB.
    const length = Math.min(bytes.byteLength - written, 2 ** 30);
    written += (await file.write(bytes, written, length)).bytesWritten;
  }
}

/** The path itself, or what its symlink leads to. */
async function resolveTarget(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return resolve(path);
    throw writeError(path, error);
  }
}

async function isFolder(path: string, target: string): Promise<boolean> {
  try {
    if ((await stat(target)).isDirectory()) return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw writeError(path, error);
  }
  throw new InputError(path, "is a file where a folder is wanted");
}

/** A folder under the name of a file, or a file under that of a folder, would stop the renames half-way. */
async function makeReplaceable(path: string, target: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await naming(join(path, name), mkdir(dirname(join(target, name)), { recursive: true }));
    const info = await stat(join(target, name)).catch(() => undefined);
    if (info?.isDirectory()) throw new InputError(join(path, name), "is a folder where a file is wanted");
  }
}

/** Makes a rename last through a power cut, on systems where a folder can be opened for that. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r").catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}

async function naming<T>(path: string, operation: Promise<T>): Promise<T> {
  try {
    return await operation;
  } catch (error) {
    throw writeError(path, error);
  }
}

/** What a failed write is in the words of this program. */
export function writeError(path: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EACCES" || code === "EPERM") {
    return new InputError(path, "cannot be written (permission denied)", { cause: error });
  }
  if (code === "ENOENT") return new InputError(path, "cannot be written: its folder does not exist", { cause: error });
  if (code === "ENOTDIR" || code === "EEXIST") {
    return new InputError(path, "cannot be written: a part of its path is not a folder", { cause: error });
  }
  return fileError(path, error);
}
