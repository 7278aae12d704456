import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { InputError } from "../../errors.js";
import { fileError } from "./file-source.js";

/**
 * Fails before the work rather than after it: the folder can be written, or made.
 * @throws InputError saying what stands in the way
 */
export async function checkWritable(folder: string): Promise<void> {
  let place = folder;
  for (;;) {
    try {
      if (!(await stat(place)).isDirectory()) throw new InputError(place, "is a file where a folder is to be written");
      await access(place, constants.W_OK | constants.X_OK);
      return;
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === "ENOENT" && dirname(place) !== place;
      if ((error as NodeJS.ErrnoException).code === "EACCES") {
        throw new InputError(place, "cannot be written (permission denied)", { cause: error });
      }
      if (!missing) throw fileError(place, error);
      place = dirname(place);
    }
  }
}
