import type { Folder } from "../../tensor/byte-source.js";
import { parseStrictJson } from "../../tensor/strict-json.js";

/** The text of a JSON file, undefined where there is none. @throws InputError if it is no JSON */
export async function jsonText(folder: Folder, name: string): Promise<string | undefined> {
  const source = await folder.open(name);
  if (source === undefined) return undefined;
  const bytes = await source.read(0, source.size);
  parseStrictJson(source.name, "text", bytes);
  return new TextDecoder().decode(bytes);
}
