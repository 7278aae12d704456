import { link, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { InputError } from "../../errors.js";
import { removeEmptyFolders } from "./empty-folders.js";
import { deleteAtExit, isRunning, temporaryName } from "./leftovers.js";
import { nearestReal } from "./real-path.js";
import { writeError } from "./write-atomic.js";

/** Begins the name of the file that says who writes to a path. */
const lockPrefix = ".unembed-lock";
/** A lock is written at once: one without contents after this long was left by a process that died meanwhile. */
const unwrittenSeconds = 10;
/** Two measurements of when a process began may differ by so much. */
const clockSeconds = 2;

/** Who writes to a path. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process began, in milliseconds: in containers the same few process numbers come again. */
  readonly began: number;
  /** When it took the lock: ISO 8601. */
  readonly since: string;
}

export interface PathLock {
  release(): Promise<void>;
}

/**
 * Lets one process at a time write to a folder or file, by a file beside it that is there only while it is held: it goes
 * at release, when the process ends, and when a later process of this machine finds that its holder is dead.
 * @throws InputError naming who holds it, or if it cannot be written
 */
export async function lockPath(path: string): Promise<PathLock> {
  const target = await nearestReal(resolve(path));
  let place = join(dirname(target), `${lockPrefix}-${basename(target)}`);
  // Where the folder is ours to write but its parent is not.
  const inside = join(target, lockPrefix);
  for (;;) {
    try {
      const taken = await take(place);
      if (taken) {
        await clearDeadLocks(path, place);
        return taken;
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const refused = code === "EACCES" || code === "EPERM" || code === "EROFS";
      const isFolder = (await stat(target).catch(() => undefined))?.isDirectory() ?? false;
      if (!refused || !isFolder || place === inside) throw writeError(path, error);
      place = inside;
      continue;
    }
    if (await isHeld(place)) throw inUse(path, place, await holderOf(place));
    await removeStale(path, place);
  }
}

/** Does the work while nobody else writes to a path. @throws InputError as lockPath */
export async function whileLocked<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  const lock = await lockPath(path);
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

/** @returns undefined if another one lies there */
async function take(lock: string): Promise<PathLock | undefined> {
  const parent = dirname(lock);
  const firstMade = await mkdir(parent, { recursive: true });
  const holder: Holder = { pid: process.pid, host: hostname(), began: ownBeginning(), since: new Date().toISOString() };
  try {
    await writeFile(lock, JSON.stringify(holder), { flag: "wx" });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // The parent may have gone between the two calls, with another lock that was in it.
    if (code === "ENOENT") return take(lock);
    if (code === "EEXIST") return undefined;
    throw error;
  }
  const atExit = deleteAtExit(lock);
  return {
    async release() {
      await rm(lock, { force: true });
      atExit.release();
      if (firstMade !== undefined) await removeEmptyFolders(parent, firstMade);
    },
  };
}

/** A lock that nobody holds is renamed first: of two that want to remove it, one may hold a new lock already. */
async function removeStale(path: string, lock: string): Promise<void> {
  const aside = join(dirname(lock), temporaryName());
  try {
    await rename(lock, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw writeError(path, error);
  }
  const held = await isHeld(aside);
  const holder = await holderOf(aside);
  if (held) await link(aside, lock).catch(() => undefined);
  await rm(aside, { force: true });
  if (held) throw inUse(path, lock, holder);
}

/** Locks beside one's own that killed processes left: their paths may never be written again. */
async function clearDeadLocks(path: string, own: string): Promise<void> {
  const parent = dirname(own);
  for (const name of await readdir(parent).catch(() => [])) {
    const lock = join(parent, name);
    if (!name.startsWith(lockPrefix) || lock === own || (await isHeld(lock))) continue;
    // Another process may be at it too, and one that has taken it since keeps it.
    await removeStale(path, lock).catch(() => undefined);
  }
}

async function isHeld(lock: string): Promise<boolean> {
  const holder = await holderOf(lock);
  if (holder === undefined) {
    const info = await stat(lock).catch(() => undefined);
    return info !== undefined && Date.now() - info.mtimeMs < 1000 * unwrittenSeconds;
  }
  if (holder.host !== hostname()) return true;
  if (holder.pid !== process.pid) return isRunning(holder.pid);
  return Math.abs(holder.began - ownBeginning()) < 1000 * clockSeconds;
}

async function holderOf(lock: string): Promise<Holder | undefined> {
  try {
    const holder = JSON.parse(await readFile(lock, "utf8")) as Partial<Holder> | null;
    return Number.isSafeInteger(holder?.pid) && typeof holder?.host === "string" ? (holder as Holder) : undefined;
  } catch {
    return undefined;
  }
}

function ownBeginning(): number {
  return Math.round(Date.now() - 1000 * process.uptime());
}

function inUse(path: string, lock: string, holder: Holder | undefined): InputError {
  if (holder === undefined) return new InputError(path, "another process has just begun to write there");
  const { pid, host, since } = holder;
  const who = `process ${pid} on ${host} has been writing there since ${since}`;
  // Whether a process of another machine still runs cannot be seen from here.
  return new InputError(path, host === hostname() ? who : `${who}; if it does not run any more, delete ${lock}`);
}
