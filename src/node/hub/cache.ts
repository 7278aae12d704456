import { randomBytes } from "node:crypto";
import { copyFile, mkdir, readFile, readlink, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { InputError } from "../../errors.js";
import { type Digest, isCommit } from "../../hub/listing.js";
import type { HubReference } from "../../hub/reference.js";
import { fileError } from "../files/file-source.js";
import { writeFileAtomic } from "../files/write-atomic.js";

/**
 * One repository in the cache, laid out as Python's huggingface_hub does:
 * `blobs/HASH`, `refs/REVISION` (holds a commit), `snapshots/COMMIT/FILE` (leads to a blob), `.no_exist/COMMIT/FILE`.
 */
export interface RepositoryCache {
  readonly folder: string;
}

/** The cache of a repository, or its part of another library's folder of the same layout. */
export function repositoryFolder(cacheFolder: string, { type, name }: HubReference): string {
  return join(cacheFolder, [`${type}s`, ...name.split("/")].join("--"));
}

export function blobPath(cache: RepositoryCache, digest: Digest): string {
  return join(cache.folder, "blobs", digest.hex);
}

export function snapshotPath(cache: RepositoryCache, commit: string, file: string): string {
  return join(cache.folder, "snapshots", commit, ...file.split("/"));
}

/** The commit that a branch or tag stood for when it was last asked for. */
export async function readRef(cache: RepositoryCache, revision: string): Promise<string | undefined> {
  if (isCommit(revision)) return revision;
  const text = await readFile(join(cache.folder, "refs", ...revision.split("/")), "utf8").catch(() => "");
  return isCommit(text.trim()) ? text.trim() : undefined;
}

/** Python's tools call a cache broken that has a ref to a snapshot that is not there: write the snapshot first. */
export async function writeRef(cache: RepositoryCache, revision: string, commit: string): Promise<void> {
  if (isCommit(revision) || (await readRef(cache, revision)) === commit) return;
  const path = join(cache.folder, "refs", ...revision.split("/"));
  await cacheError(path, mkdir(dirname(path), { recursive: true }));
  await writeFileAtomic(path, commit);
}

/** @returns the size of a file of the snapshot, undefined if it or what it leads to is not there */
export async function sizeInSnapshot(
  cache: RepositoryCache,
  commit: string,
  file: string,
): Promise<number | undefined> {
  const found = await stat(snapshotPath(cache, commit, file)).catch(() => undefined);
  return found?.isFile() ? found.size : undefined;
}

/** Whether the repository is known to have no such file. */
export async function isKnownAbsent(cache: RepositoryCache, commit: string, file: string): Promise<boolean> {
  return (await stat(absentPath(cache, commit, file)).catch(() => undefined))?.isFile() ?? false;
}

/** Remembers that the repository has no such file; where that cannot be written, it is asked for again. */
export async function rememberAbsent(cache: RepositoryCache, commit: string, file: string): Promise<void> {
  const path = absentPath(cache, commit, file);
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, "");
  } catch {
    // Costs a request next time, nothing else.
  }
}

/** Makes a blob a file of the snapshot, by a relative link, or by a copy where there are no links (Windows). */
export async function linkSnapshot(cache: RepositoryCache, commit: string, file: string, blob: string): Promise<void> {
  const path = snapshotPath(cache, commit, file);
  const target = relative(dirname(path), blob);
  await cacheError(path, mkdir(dirname(path), { recursive: true }));
  if ((await readlink(path).catch(() => undefined)) === target) return;
  const temporary = `${path}.${randomBytes(4).toString("hex")}.incomplete`;
  try {
    await symlink(target, temporary).catch(() => copyFile(blob, temporary));
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    // Another process may have put it there, on a system where an open file cannot be replaced.
    if ((await stat(path).catch(() => undefined))?.isFile()) return;
    throw writeError(path, error);
  }
}

/** Turns a failed write into one clear line. */
export async function cacheError<T>(path: string, operation: Promise<T>): Promise<T> {
  try {
    return await operation;
  } catch (error) {
    throw writeError(path, error);
  }
}

function writeError(path: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    return new InputError(path, "cannot be written: set HF_HOME to a folder that can", { cause: error });
  }
  if (code === "ENOTDIR" || code === "EEXIST") {
    return new InputError(path, "cannot be written: a part of its path is not a folder", { cause: error });
  }
  return fileError(path, error);
}

function absentPath(cache: RepositoryCache, commit: string, file: string): string {
  return join(cache.folder, ".no_exist", commit, ...file.split("/"));
}
