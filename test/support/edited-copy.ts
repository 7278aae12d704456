import { cp, open } from "node:fs/promises";
import { join } from "node:path";
import { openFileSource } from "../../src/node/files/file-source.js";
import { readSafetensorsHeader } from "../../src/tensor/safetensors/safetensors.js";

/**
 * A copy of the embedded model with some rows of its (tied) embedding edited: every float16's bit pattern is raised by
 * `ulps`, so that it is larger in magnitude by so many units in the last place.
 */
export async function editedCopy(folder: string, rows: readonly number[], ulps: number): Promise<string> {
  await cp("assets/tiny-books", folder, { recursive: true });
  const weights = join(folder, "model.safetensors");
  const { tensors } = await readSafetensorsHeader(await openFileSource(weights));
  const { offset, shape } = tensors.get("transformer.wte.weight")!;
  const bytesPerRow = 2 * shape[1]!;
  const file = await open(weights, "r+");
  try {
    for (const row of rows) {
      const bytes = Buffer.alloc(bytesPerRow);
      await file.read(bytes, 0, bytesPerRow, offset + row * bytesPerRow);
      for (let i = 0; i < bytesPerRow; i += 2) bytes.writeUInt16LE(bytes.readUInt16LE(i) + ulps, i);
      await file.write(bytes, 0, bytesPerRow, offset + row * bytesPerRow);
    }
  } finally {
    await file.close();
  }
  return folder;
}
