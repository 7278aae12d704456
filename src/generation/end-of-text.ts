import { readConfig } from "../model/config.js";
import type { Folder } from "../tensor/byte-source.js";

/**
 * Ids that end a text: `eos_token_id` of generation_config.json, one or several, or of config.json where that has none.
 * @throws InputError if the field is neither a whole number nor a list of them
 */
export async function endOfTextIds(folder: Folder): Promise<ReadonlySet<number>> {
  for (const fileName of ["generation_config.json", "config.json"]) {
    const source = await folder.open(fileName);
    if (source === undefined) continue;
    const config = await readConfig(source);
    if (!config.has("eos_token_id")) continue;
    const given = config.unknown("eos_token_id");
    const ids: unknown[] = Array.isArray(given) ? given : [given];
    const isId = (id: unknown): id is number => Number.isInteger(id);
    if (ids.every(isId)) return new Set(ids);
    config.fail("eos_token_id", "is wanted as a whole number or a list of them");
  }
  return new Set();
}
