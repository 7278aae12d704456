import type { Folder } from "../../tensor/byte-source.js";
import { configTokenIds } from "./id-fields.js";
import { jsonText } from "./json-text.js";

/** Token ids that a model's configs name, each once. @throws InputError if one cannot be read */
export async function referencedIds(folder: Folder, vocabSize: number): Promise<number[]> {
  const ids = new Set<number>();
  for (const name of ["config.json", "generation_config.json"]) {
    const text = await jsonText(folder, name);
    if (text === undefined) continue;
    for (const id of configTokenIds(text, vocabSize)) ids.add(id);
  }
  return [...ids];
}
