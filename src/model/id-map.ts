import { InputError } from "../errors.js";
import type { Folder } from "../tensor/byte-source.js";
import { readIntegers, readSafetensorsHeader } from "../tensor/safetensors/safetensors.js";

/** Beside the weights of a model whose vocabulary was trimmed: `old_ids`, int64 [V'], the old id of each row, -1 for padding. */
export const idMapFile = "id-map.safetensors";

/** More tokens has no vocabulary. */
const mostRows = 2 ** 24;

/**
 * The old ids of a trimmed model's tokens, in the order of their new ones; padding left out.
 * @returns undefined if the folder has none @throws InputError naming the field that cannot be used
 */
export async function readIdMap(folder: Folder): Promise<Int32Array | undefined> {
  const source = await folder.open(idMapFile);
  if (source === undefined) return undefined;
  const { tensors } = await readSafetensorsHeader(source);
  const entry = tensors.get("old_ids");
  if (entry === undefined || entry.dtype !== "I64" || entry.shape.length !== 1 || entry.shape[0]! > mostRows) {
    throw new InputError(source.name, 'has no tensor "old_ids" of I64 [V], the old id of each token');
  }
  const rows = await readIntegers(entry);
  const padding = rows.indexOf(-1);
  const ids = Int32Array.from(padding < 0 ? rows : rows.subarray(0, padding));
  const bad = ids.findIndex((id, row) => id < 0 || (row > 0 && id <= ids[row - 1]!));
  if (bad >= 0 || ids.length === 0 || rows.subarray(ids.length).some((id) => id !== -1)) {
    throw new InputError(
      source.name,
      `tensor "old_ids" is no rising list of ids with -1 after it (row ${Math.max(bad, 0)})`,
    );
  }
  return ids;
}
