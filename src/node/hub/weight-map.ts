import * as z from "zod";
import { InputError } from "../../errors.js";
import type { ByteSource } from "../../tensor/byte-source.js";
import { parseStrictJson, quote } from "../../tensor/strict-json.js";
import { isSafePath } from "./reference.js";

/** An index this long lists more tensors than any model has. */
const maxIndexBytes = 64 * 2 ** 20;

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/** File name by tensor name, of a `*.index.json`. @throws InputError naming the field */
export async function readWeightMap(index: ByteSource): Promise<Map<string, string>> {
  if (index.size > maxIndexBytes) {
    throw new InputError(index.name, `is ${index.size} bytes long, above the limit of ${maxIndexBytes}`);
  }
  const json = indexSchema.safeParse(parseStrictJson(index.name, "index", await index.read(0, index.size)));
  if (!json.success) throw new InputError(index.name, "field weight_map is missing or does not hold file names");
  const shardOf = new Map(Object.entries(json.data.weight_map));
  for (const [tensor, file] of shardOf) {
    if (isSafePath(file)) continue;
    throw new InputError(index.name, `field weight_map: ${quote(tensor)} is in ${quote(file)}, outside the folder`);
  }
  return shardOf;
}
