import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InputError } from "../../errors.js";
import type { RowStore } from "../../model/contexts/stored-contexts.js";
import { fileError } from "./file-source.js";

/**
 * Rows of hidden states in a temporary file that nothing else can open by name, gone with the process at the latest.
 * @param folder where to put it; the system's folder for temporary files if left out
 * @throws InputError if it cannot be made or the disk is full
 */
export async function rowFile(folder = tmpdir()): Promise<RowStore> {
  const place = await mkdtemp(join(folder, "unembed-"));
  const path = join(place, "hidden-states");
  const file = await open(path, "wx+");
  // Without a name from here on, so that a process that is killed leaves nothing (Windows keeps the name until release).
  const remove = () => rm(place, { recursive: true, force: true });
  if (process.platform !== "win32") await remove();
  let size = 0;
  return {
    async append(rows) {
      const bytes = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength);
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await file.write(bytes, done, bytes.length - done, size + done).catch((error) => {
          throw fileError(place, error);
        });
        done += bytesWritten;
      }
      size += bytes.length;
    },
    async read(begin, end) {
      const rows = new Float32Array(end - begin);
      const bytes = new Uint8Array(rows.buffer);
      for (let done = 0; done < bytes.length; ) {
        const { bytesRead } = await file.read(bytes, done, bytes.length - done, begin * 4 + done);
        if (bytesRead === 0) throw new InputError(place, `the temporary file ends at number ${(begin * 4 + done) / 4}`);
        done += bytesRead;
      }
      return rows;
    },
    async release() {
      await file.close();
      await remove();
    },
  };
}
