import { InputError } from "../errors.js";
import { type ByteSource, type Folder, wholeFile } from "./byte-source.js";
import {
  type CheckpointLayout,
  checkpointLayouts,
  missingWeights,
  type TensorEntries,
  type TensorFolder,
} from "./checkpoint-layouts.js";
import type { TensorEntry } from "./safetensors/safetensors.js";
import { parseStrictJson, quote } from "./strict-json.js";
import { readWithout, unwrappedNames } from "./wrapped-names.js";

/** Takes one line that who opens a model should read: what was done otherwise than its files say. */
export type OnNotice = (message: string) => void;

/** An index this long lists more tensors than any model has. */
const maxIndexBytes = 64 * 2 ** 20;

/**
 * All tensors of a checkpoint by name, where they lie: in one file, or in the shards that an index lists. Names behind those of
 * a wrapper are the model's own again.
 * @param onNotice told of that
 * @throws InputError if the folder has no checkpoint, or one of its files cannot be used
 */
export async function openCheckpointTensors(folder: Folder, onNotice?: OnNotice): Promise<TensorEntries> {
  const found = await findCheckpointTensors(folder, onNotice);
  if (found !== undefined) return found;
  throw await missingWeights(folder);
}

/** The same; undefined if the folder has no checkpoint. */
export async function findCheckpointTensors(folder: Folder, onNotice?: OnNotice): Promise<TensorEntries | undefined> {
  if ("tensors" in folder) return (folder as TensorFolder).tensors;
  for (const layout of checkpointLayouts) {
    const source = await folder.open(layout.file);
    if (source === undefined) continue;
    const stored = await (layout.sharded ? readShards(folder, source, layout) : layout.read(source));
    const own = unwrappedNames(stored);
    if (own === undefined) return stored;
    onNotice?.(`${source.name}: ${readWithout(own)}`);
    return own.tensors;
  }
  return undefined;
}

/**
 * What the shards hold, whatever the index lists of it: as in transformers, which reads them whole, in the order of their
 * names; of a tensor in two of them the last counts.
 */
async function readShards(folder: Folder, index: ByteSource, layout: CheckpointLayout): Promise<TensorEntries> {
  const shardOf = await readWeightMap(index);
  const tensors = new Map<string, TensorEntry>();
  for (const fileName of [...new Set(shardOf.values())].sort()) {
    const source = await folder.open(fileName);
    if (source === undefined) throw new InputError(index.name, `lists the shard ${quote(fileName)}, which is missing`);
    for (const [name, entry] of await layout.read(source)) tensors.set(name, entry);
  }
  return tensors;
}

/** File name by tensor name, of a `*.index.json`. @throws InputError naming the field */
export async function readWeightMap(index: ByteSource): Promise<Map<string, string>> {
  const json = parseStrictJson(index.name, "index", await wholeFile(index, maxIndexBytes));
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
