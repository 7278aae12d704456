import { constants, type Stats } from "node:fs";
import { open, realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { InputError } from "../../errors.js";
import { type ByteSource, checkRange, type Folder } from "../../tensor/byte-source.js";
import { maxPointerBytes, refuseLfsPointer } from "../../tensor/git-lfs.js";
import { endedAfter } from "./bounded-match.js";

/** A byte source on disk; `path` has its symlinks resolved, which the engine needs to map it. */
export interface FileSource extends ByteSource {
  readonly path: string;
}

/** @throws InputError if the path is missing, unreadable or not a regular file, or a pointer of git-lfs to one. */
export async function openFileSource(path: string, name = path): Promise<FileSource> {
  const { resolved, size } = await statFile(path, name);
  const source: FileSource = {
    name,
    path: resolved,
    size,
    async read(offset, length, into = new Uint8Array(length)) {
      checkRange(source, offset, length);
      const handle = await open(resolved, constants.O_RDONLY);
      try {
        const bytes = into.subarray(0, length);
        let filled = 0;
        while (filled < length) {
          const { bytesRead } = await handle.read(bytes, filled, Math.min(length - filled, 2 ** 30), offset + filled);
          if (bytesRead === 0)
            throw new InputError(name, `ends at byte ${offset + filled}, shorter than when it was opened`);
          filled += bytesRead;
        }
        return bytes;
      } finally {
        await handle.close();
      }
    },
  };
  return source;
}

/** A folder on disk; a file name that leads out of it is refused. */
export function openFolder(path: string): Folder {
  return {
    name: path,
    endedAfter,
    async open(fileName) {
      const target = join(path, fileName);
      const inside = relative(path, target);
      if (inside === "" || inside === ".." || inside.startsWith(`..${sep}`)) {
        throw new InputError(path, `the file name ${JSON.stringify(fileName)} leads out of the folder`);
      }
      if ((await statOrUndefined(target)) === undefined) return undefined;
      return openFileSource(target);
    },
  };
}

async function statFile(path: string, name: string): Promise<{ resolved: string; size: number }> {
  try {
    const resolved = await realpath(path);
    const info = await stat(resolved);
    if (info.isDirectory()) throw new InputError(name, "is a folder where a file is wanted");
    if (!info.isFile()) throw new InputError(name, "is not a regular file");
    const handle = await open(resolved, constants.O_RDONLY);
    try {
      const start = new Uint8Array(info.size <= maxPointerBytes ? info.size : 0);
      await handle.read(start, 0, start.length, 0);
      refuseLfsPointer(name, start, info.size);
    } finally {
      await handle.close();
    }
    return { resolved, size: info.size };
  } catch (error) {
    throw fileError(name, error);
  }
}

async function statOrUndefined(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw fileError(path, error);
  }
}

const reasons: Record<string, string> = {
  ENOENT: "does not exist",
  ENOTDIR: "does not exist (a part of its path is not a folder)",
  EACCES: "is not readable (permission denied)",
  EPERM: "is not permitted",
  EISDIR: "is a folder where a file is wanted",
  ENOSPC: "cannot be written: no space left on the device",
  EROFS: "cannot be written: the file system is read-only",
  ELOOP: "is a symlink that leads in a circle",
  ENAMETOOLONG: "has too long a name",
};

/** Turns what the operating system said into one clear line; other errors pass unchanged. */
export function fileError(name: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (error instanceof InputError || code === undefined) return error;
  return new InputError(name, reasons[code] ?? `failed with ${code}`, { cause: error });
}
