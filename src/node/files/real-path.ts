import { realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** The path with its existing part's symlinks resolved. */
export async function nearestReal(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    return dirname(path) === path ? path : join(await nearestReal(dirname(path)), basename(path));
  }
}
