import { InputError } from "../errors.js";
import type { ByteSource, Folder } from "./byte-source.js";
import { otherFolder } from "./other-folders.js";
import { readSafetensorsHeader, type TensorEntry } from "./safetensors/safetensors.js";
import { readTorchTensors } from "./torch/torch-zip.js";

/** Tensors of a model by name, where they lie. */
export type TensorEntries = ReadonlyMap<string, TensorEntry>;

/** A folder whose tensors are known beforehand: its files are made from another format. */
export interface TensorFolder extends Folder {
  readonly tensors: TensorEntries;
}

/** One way in which a checkpoint's tensors lie in a folder. */
export interface CheckpointLayout<File extends string = CheckpointFile> {
  /** The file that shows it: all tensors, or the index of the shards that hold them. */
  readonly file: File;
  readonly sharded: boolean;
  /**
   * The tensors of the file, or of one shard, by name.
   * @param wanted where given, and a file has to be searched for each tensor, only those with these names are looked up
   */
  read(source: ByteSource, wanted?: readonly string[]): Promise<TensorEntries>;
}

/** One copy of a tensor that a model has under several names is stored under the first, and the metadata says which others. */
const readSafetensors = async (source: ByteSource): Promise<TensorEntries> => {
  const { tensors, metadata } = await readSafetensorsHeader(source);
  const shared = Object.entries(metadata).flatMap(([name, storedName]) => {
    const stored = tensors.has(name) ? undefined : tensors.get(storedName);
    return stored === undefined ? [] : [[name, { ...stored, name }] as const];
  });
  return shared.length === 0 ? tensors : new Map([...tensors, ...shared]);
};

const readShard = async (source: ByteSource): Promise<TensorEntries> => (await readSafetensorsHeader(source)).tensors;

export const safetensorsFile = "model.safetensors";
export const safetensorsIndex = "model.safetensors.index.json";

/** All of them, in the order in which they are looked for: as in transformers, one file first, safetensors before pickles. */
export const checkpointLayouts = [
  { file: safetensorsFile, sharded: false, read: readSafetensors },
  { file: safetensorsIndex, sharded: true, read: readShard },
  { file: "pytorch_model.bin", sharded: false, read: readTorchTensors },
  { file: "pytorch_model.bin.index.json", sharded: true, read: readTorchTensors },
] as const satisfies CheckpointLayout<string>[];

export type CheckpointFile = (typeof checkpointLayouts)[number]["file"];

/** For messages. */
export const checkpointFileNames = checkpointLayouts.map(({ file }) => file).join(", ");

/**
 * The error of a place that has none of them, saying what it is where that shows.
 * @param others files that were looked for besides
 */
export async function missingWeights(folder: Folder, others = ""): Promise<InputError> {
  const problem = (await otherFolder(folder)) ?? `has no weights: looked for ${checkpointFileNames}${others}`;
  return new InputError(folder.name, problem);
}
