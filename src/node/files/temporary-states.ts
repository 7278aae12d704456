import { statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { type StatePlace, type StateType, temporaryStates } from "../../model/pass/state-place.js";
import { rowFile } from "./row-file.js";

/** Hidden states in the system's folder for temporary files, gone with the process at the latest. */
export function temporaryPlace(type: StateType): StatePlace {
  return {
    name: "the temporary folder",
    type,
    room: () => freeBytes(tmpdir()),
    create: async () => temporaryStates(await rowFile(tmpdir(), type)),
    found: async () => undefined,
  };
}

/** Bytes that can be written there; undefined where the system does not say. */
export async function freeBytes(folder: string): Promise<number | undefined> {
  const found = await statfs(folder).catch(() => undefined);
  return found && found.bavail * found.bsize;
}
