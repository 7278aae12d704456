import { readFileSync } from "node:fs";
import { freemem } from "node:os";
import { join } from "node:path";

const groups = "/sys/fs/cgroup";

/** Bytes of memory that can still be taken: of the machine, and of the control group that the process runs in (Linux). */
export function freeMemory(): number {
  return Math.min(freemem(), ...groupFolders().map(freeInGroup));
}

/** The process' control groups in the unified hierarchy (v2) from the inmost up, or the one for memory (v1). */
function groupFolders(): string[] {
  const lines = textOf("/proc/self/cgroup")?.trim().split("\n") ?? [];
  const own = lines.find((line) => line.startsWith("0::"))?.slice(3) ?? "/";
  const steps = own.split("/").filter(Boolean);
  const unified = Array.from({ length: steps.length + 1 }, (_, depth) => join(groups, ...steps.slice(0, depth)));
  return [...unified, join(groups, "memory")];
}

/** What a group's limit leaves; files that are kept in memory count as used there, but make room. */
function freeInGroup(folder: string): number {
  const number = (file: string) => Number(textOf(join(folder, file)) ?? Number.NaN);
  const [limit, used] = [
    [number("memory.max"), number("memory.current")],
    [number("memory.limit_in_bytes"), number("memory.usage_in_bytes")],
  ].find(([most, taken]) => most! < Number.MAX_SAFE_INTEGER && taken! >= 0) ?? [Number.POSITIVE_INFINITY, 0];
  const files = Number(/^(?:total_)?inactive_file (\d+)$/m.exec(textOf(join(folder, "memory.stat")) ?? "")?.[1] ?? 0);
  return Math.max(0, limit! - used! + files);
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}
