import { createHash, randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { readdir, rename, rm, rmdir, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";

/** Starts the name of everything that is still being written; what bears it can be deleted. */
export const temporaryPrefix = ".unembed-tmp-";
/** Starts the name of a folder that keeps, under its own name, what is being replaced. */
export const asidePrefix = ".unembed-old-";

/** Name of this machine: a process of another one, on a disk that both write to, is not taken for a dead one of this. */
const machine = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);

/** A name for what is still being written: it says which process of which machine does it. */
export function temporaryName(prefix = temporaryPrefix): string {
  return `${prefix}${machine}-${process.pid}-${randomBytes(6).toString("hex")}`;
}

const writing = new Set<string>();
let watching = false;

/** Deletes the folder when the process ends, however it ends short of being killed, unless it is released before. */
export function deleteAtExit(path: string): { release(): void } {
  writing.add(path);
  if (!watching) {
    watching = true;
    process.on("exit", () => {
      for (const left of writing) rmSync(left, { recursive: true, force: true });
    });
  }
  return { release: () => writing.delete(path) };
}

/**
 * Puts right what processes that were killed left beside a folder: what they were still writing is deleted; a folder that
 * was being replaced is given its name back if nothing else has it, and deleted if its successor has.
 */
export async function clearLeftovers(target: string): Promise<void> {
  const parent = dirname(target);
  for (const name of await readdir(parent).catch(() => [])) {
    const path = join(parent, name);
    if (name.startsWith(temporaryPrefix) && (await isDead(path))) await rm(path, { recursive: true, force: true });
    if (name.startsWith(asidePrefix) && (await isDead(path))) await settleAside(path, target);
  }
}

async function settleAside(aside: string, target: string): Promise<void> {
  const old = join(aside, basename(target));
  if (await stat(target).catch(() => undefined)) await rm(old, { recursive: true, force: true });
  else await rename(old, target).catch(() => {});
  // Not empty where it keeps a folder of another name: its own turn will come.
  await rmdir(aside).catch(() => {});
}

/** Whether it was left by a process of this machine that does not run any more. */
async function isDead(path: string): Promise<boolean> {
  const [, host, digits] = /-([0-9a-f]{8})-(\d+)-[0-9a-f]{12}$/.exec(path) ?? [];
  if (host !== machine) return false;
  const pid = Number(digits);
  if (pid !== process.pid) return !isRunning(pid);
  // In containers the same few numbers come again.
  const started = Date.now() - 1000 * process.uptime();
  const info = await stat(path).catch(() => undefined);
  return info !== undefined && info.mtimeMs < started;
}

/** Whether a process of this machine runs. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
