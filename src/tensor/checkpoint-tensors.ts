import { InputError } from "../errors.js";
import type { ByteSource, Folder } from "./byte-source.js";
import { type CheckpointLayout, checkpointLayouts, missingWeights, type TensorEntries } from "./checkpoint-layouts.js";
import type { TensorEntry } from "./safetensors/safetensors.js";
import { parseStrictJson, quote } from "./strict-json.js";

/** An index this long lists more tensors than any model has. */
const maxIndexBytes = 64 * 2 ** 20;

/**
 * All tensors of a checkpoint by name, where they lie: in one file, or in the shards that an index lists.
 * @throws InputError if the folder has no checkpoint, or one of its files cannot be used
 */
export async function openCheckpointTensors(folder: Folder): Promise<TensorEntries> {
  const found = await findCheckpointTensors(folder);
  if (found !== undefined) return found;
  throw missingWeights(folder.name);
}

/** The same; undefined if the folder has no checkpoint. */
export async function findCheckpointTensors(folder: Folder): Promise<TensorEntries | undefined> {
  for (const layout of checkpointLayouts) {
    const source = await folder.open(layout.file);
    if (source !== undefined) return layout.sharded ? readShards(folder, source, layout) : layout.read(source);
  }
  return undefined;
}

async function readShards(folder: Folder, index: ByteSource, layout: CheckpointLayout): Promise<TensorEntries> {
  const shardOf = await readWeightMap(index);
  const shards = new Map<string, TensorEntries>();
  for (const fileName of new Set(shardOf.values())) {
    const source = await folder.open(fileName);
    if (source === undefined) throw new InputError(index.name, `lists the shard ${quote(fileName)}, which is missing`);
    shards.set(fileName, await layout.read(source));
  }
  const tensors = new Map<string, TensorEntry>();
  for (const [name, fileName] of shardOf) {
    const entry = shards.get(fileName)?.get(name);
    if (entry === undefined) {
      throw new InputError(index.name, `lists tensor ${quote(name)} in ${quote(fileName)}, which does not hold it`);
    }
    tensors.set(name, entry);
  }
  return tensors;
}

/** File name by tensor name, of a `*.index.json`. @throws InputError naming the field */
export async function readWeightMap(index: ByteSource): Promise<Map<string, string>> {
  if (index.size > maxIndexBytes) {
    throw new InputError(index.name, `is ${index.size} bytes long, above the limit of ${maxIndexBytes}`);
  }
  const json = parseStrictJson(index.name, "index", await index.read(0, index.size));
  const weightMap: unknown = typeof json === "object" && json !== null && "weight_map" in json ? json.weight_map : null;
  if (typeof weightMap !== "object" || weightMap === null || Array.isArray(weightMap)) {
    throw new InputError(index.name, "field weight_map is missing or not an object");
  }
  const shardOf = new Map<string, string>();
  for (const [name, fileName] of Object.entries(weightMap)) {
    const refuse = (problem: string) => new InputError(index.name, `field weight_map: ${quote(name)} ${problem}`);
    if (typeof fileName !== "string") throw refuse("has no file name");
    if (!staysInFolder(fileName)) throw refuse(`is in ${quote(fileName)}, which is not a file of the same folder`);
    shardOf.set(name, fileName);
  }
  return shardOf;
}

function staysInFolder(fileName: string): boolean {
  const unsafe = /[\\:\0]/;
  return !unsafe.test(fileName) && fileName.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}
