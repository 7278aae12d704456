import { createHash, randomBytes } from "node:crypto";
import { type FileHandle, open, readdir, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";
import { cacheError } from "../cache.js";

/** A file that is still being written, under a name that no other process writes to. */
export interface PartialFile {
  readonly path: string;
  readonly handle: FileHandle;
  /** Bytes that an earlier process had already written. */
  readonly length: number;
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Closes it and leaves it to whoever goes on with it. */
  release(): Promise<void>;
  /** Closes and deletes it. */
  discard(): Promise<void>;
  /** Puts it in its place, whole, even after a power cut. */
  finish(): Promise<void>;
}

/** Without a write for this long, in milliseconds, a partial file of another machine has been given up. */
const abandonedAfter = 30 * 60_000;

const host = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
const ownPaths = new Set<string>();

/**
 * Takes over what an interrupted process left of a file, or begins a new one. Its name is `TARGET.HOST-PROCESS-RANDOM.incomplete`:
 * two processes never write to the same file, and renaming is how one takes over.
 * @param longest what is longer than the whole file is not a part of it
 */
export async function claimPartial(target: string, longest: number): Promise<PartialFile> {
  const path = `${target}.${host}-${process.pid}-${randomBytes(4).toString("hex")}.incomplete`;
  ownPaths.add(path);
  try {
    for (const found of await abandoned(target)) {
      if (found.size > longest) await rm(found.path, { force: true });
      else if (await tookOver(found.path, path)) return partialFile(target, path, await open(path, "r+"), found.size);
    }
    return partialFile(target, path, await cacheError(path, open(path, "wx+")), 0);
  } catch (error) {
    ownPaths.delete(path);
    throw error;
  }
}

function partialFile(target: string, path: string, handle: FileHandle, length: number): PartialFile {
  const release = async () => {
    ownPaths.delete(path);
    await handle.close();
  };
  return {
    path,
    handle,
    length,
    async write(bytes, position) {
      for (let written = 0; written < bytes.byteLength; ) {
        written += (await handle.write(bytes, written, bytes.byteLength - written, position + written)).bytesWritten;
      }
    },
    release,
    async discard() {
      await release();
      await rm(path, { force: true });
    },
    async finish() {
      await cacheError(target, handle.sync());
      await release();
      await cacheError(target, rename(path, target));
    },
  };
}

/** The largest first. */
async function abandoned(target: string): Promise<{ path: string; size: number }[]> {
  const folder = dirname(target);
  const prefix = `${basename(target)}.`;
  const found: { path: string; size: number }[] = [];
  for (const name of await cacheError(folder, readdir(folder))) {
    const owner = name.startsWith(prefix)
      ? /^([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.incomplete$/.exec(name.slice(prefix.length))
      : null;
    if (owner === null) continue;
    const path = join(folder, name);
    const info = await stat(path).catch(() => undefined);
    if (info === undefined || ownPaths.has(path)) continue;
    const gone = owner[1] === host && !isRunning(Number(owner[2]));
    if (gone || Date.now() - info.mtimeMs > abandonedAfter) found.push({ path, size: info.size });
  }
  return found.sort((a, b) => b.size - a.size);
}

/** This process counts as gone: of its files, those that it still writes to are known. */
function isRunning(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** @returns false if another process was faster */
async function tookOver(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch {
    return false;
  }
}
