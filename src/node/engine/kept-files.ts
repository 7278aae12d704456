import { mkdtemp, open, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ByteSource } from "../../tensor/byte-source.js";
import { type FileSource, fileError, openFileSource } from "../files/file-source.js";
import { deleteAtExit } from "../files/leftovers.js";

/** Written at once. */
const pieceBytes = 4 * 2 ** 20;

/** Bytes that are made when they are read, written to files for the time of a use: an engine maps those instead of copying them. */
export interface KeptFiles {
  /** The source as a file, written by the first who asks. @throws InputError if it cannot be written */
  fileOf(source: ByteSource): Promise<FileSource>;
  /** Takes the files away; what has mapped them keeps them. */
  remove(): Promise<void>;
}

/** Nothing is written before it is asked for. */
export function keptFiles(): KeptFiles {
  const files = new Map<ByteSource, Promise<FileSource>>();
  let folder: Promise<string> | undefined;
  let atExit: { release(): void } | undefined;
  return {
    fileOf(source) {
      folder ??= realpath(tmpdir()).then((parent) => mkdtemp(join(parent, "unembed-weights-")));
      const opened = folder.then((path) => {
        atExit ??= deleteAtExit(path);
        return path;
      });
      const name = `${files.size}`;
      const written = files.get(source) ?? opened.then((path) => writeSource(source, join(path, name)));
      files.set(source, written);
      return written;
    },
    async remove() {
      await Promise.allSettled(files.values());
      // Where a mapped file cannot be taken away, the system's own cleaning of temporary files does it.
      if (folder !== undefined) await rm(await folder, { recursive: true, force: true }).catch(() => {});
      atExit?.release();
    },
  };
}

async function writeSource(source: ByteSource, path: string): Promise<FileSource> {
  try {
    const file = await open(path, "wx", 0o600);
    try {
      for (let start = 0; start < source.size; start += pieceBytes) {
        await file.write(await source.read(start, Math.min(pieceBytes, source.size - start)));
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fileError(path, error);
  }
  return openFileSource(path);
}
