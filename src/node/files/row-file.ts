import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RowStore } from "../../model/pass/row-store.js";
import type { StateType } from "../../model/pass/state-place.js";
import { fileRows } from "./file-rows.js";

/**
 * Rows of hidden states in a temporary file that nothing else can open by name, gone with the process at the latest.
 * @param folder where to put it; the system's folder for temporary files if left out
 * @throws InputError if it cannot be made or the disk is full
 */
export async function rowFile(folder = tmpdir(), type: StateType = "float32"): Promise<RowStore> {
  const place = await mkdtemp(join(folder, "unembed-"));
  const path = join(place, "hidden-states");
  const file = await open(path, "wx+");
  // Without a name from here on, so that a process that is killed leaves nothing (Windows keeps the name until release).
  const remove = () => rm(place, { recursive: true, force: true });
  if (process.platform !== "win32") await remove();
  return {
    ...fileRows(file, { place, type }),
    async release() {
      await file.close();
      await remove();
    },
  };
}
