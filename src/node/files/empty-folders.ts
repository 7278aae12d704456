import { rmdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/** Removes `folder` and those above it up to `top`, as far as they are empty. */
export async function removeEmptyFolders(folder: string, top: string): Promise<void> {
  try {
    for (let current = folder; ; current = dirname(current)) {
      await rmdir(current);
      if (current === resolve(top)) return;
    }
  } catch {
    // Someone else put something there: it is theirs now.
  }
}
