import type { Folder } from "../../tensor/byte-source.js";
import { configTokenIds } from "./id-fields.js";
import { jsonText } from "./json-text.js";

/** Token ids that a model's configs name. @throws InputError if one cannot be read */
export async function referencedIds(folder: Folder, vocabSize: number): Promise<number[]> {
  const ids: number[] = [];
  for (const name of ["config.json", "generation_config.json"]) {
    const text = await jsonText(folder, name);
    if (text !== undefined) ids.push(...configTokenIds(text, vocabSize));
  }
  return ids;
}
