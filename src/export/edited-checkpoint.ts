import { InputError } from "../errors.js";
import { changedHead } from "../model/head/changed-head.js";
import type { HeadChange } from "../model/head/head-change.js";
import type { HeadModel } from "../model/head/head-model.js";
import { openConfig } from "../model/model.js";
import type { ByteSource, Folder } from "../tensor/byte-source.js";
import { safetensorsFile, safetensorsIndex } from "../tensor/checkpoint-layouts.js";
import { readSafetensorsHeader, type TensorEntry } from "../tensor/safetensors/safetensors.js";
import { layOutSafetensors } from "../tensor/safetensors/write-safetensors.js";
import { filesBesideWeights, type ModelFile, pieces, requireWritable } from "./model-files.js";

/** A shard of its own for the head of a tied model in shards, so that all others stay as they are. */
const headShard = "model-output-embedding.safetensors";

/**
 * The files of a checkpoint with another head, as transformers expects them: the changed output embedding under its own
 * name and `tie_word_embeddings: false`, so that a tied input embedding stays what it was; all other tensors byte for byte.
 * Of a checkpoint in shards only the one with the head differs. PyTorch files become safetensors.
 * @param change `{}` for the model as it is: tied stays tied
 * @throws InputError if the architecture has no place for the change, or a number does not fit E's number type
 */
export async function editedCheckpoint(model: HeadModel, change: HeadChange): Promise<ModelFile[]> {
  const { folder, headName } = model;
  if (!model.hasOrdinaryHead) {
    const place = "a place for in ONNX only: write it as ONNX, or start from the checkpoint that it was made of";
    throw new InputError(model.name, `holds a head that its architecture (${model.modelType}) has ${place}`);
  }
  if (change.bias !== undefined && !canHoldBias(model)) {
    throw new InputError(model.name, `its architecture (${model.modelType}) has no output bias to put one into`);
  }
  const head = changedHead(model.head, change);
  const changes = new Map<string, TensorEntry>();
  const isChanged = head.weight !== model.head.weight;
  if (isChanged) changes.set(headName, { ...head.weight, name: headName });
  const biasName = model.head.bias?.name;
  if (change.bias !== undefined && head.bias && biasName) changes.set(biasName, { ...head.bias, name: biasName });
  for (const [name, tensor] of changes) await requireWritable(model.name, name, tensor);
  const beside = await filesBesideWeights(folder, {
    ...(isChanged ? { tie_word_embeddings: false } : {}),
    ...(head.weight.dtype === model.head.weight.dtype ? {} : await loadedAsFloat32(folder)),
  });
  return [...beside, ...(await weightFiles(model.tensors, changes))];
}

/** Transformers loads every tensor in the config's number type, which must not round a wider head. */
async function loadedAsFloat32(folder: Folder): Promise<Record<string, string>> {
  const config = await openConfig(folder);
  // Its older name is torch_dtype; some files have both.
  const fields = ["dtype", "torch_dtype"].filter((field) => config.has(field));
  return Object.fromEntries((fields.length > 0 ? fields : ["torch_dtype"]).map((field) => [field, "float32"]));
}

/** Whether a bias b' can be written for the model's architecture. */
export function canHoldBias(model: HeadModel): boolean {
  return model.head.bias !== undefined;
}

/** The weights of a checkpoint with some tensors changed, in as many files as it has. PyTorch files become safetensors. */
export async function weightFiles(
  tensors: ReadonlyMap<string, TensorEntry>,
  changes: ReadonlyMap<string, TensorEntry>,
): Promise<ModelFile[]> {
  const shards = new Map<ByteSource, Map<string, TensorEntry>>();
  for (const [name, tensor] of tensors) {
    const shard = shards.get(tensor.source) ?? new Map<string, TensorEntry>();
    shards.set(tensor.source, shard.set(name, tensor));
  }
  const ofOther = [...shards.keys()].some(({ name }) => /\.(onnx(_data)?|gguf)$/i.test(name));
  if (shards.size === 1 || ofOther) {
    const all = new Map([...tensors, ...changes]);
    return [[safetensorsFile, safetensorsPieces(all)]];
  }
  const files: ModelFile[] = [];
  const weightMap = new Map<string, string>();
  const left = new Map(changes);
  let totalSize = 0;
  const put = (file: string, held: ReadonlyMap<string, TensorEntry>, contents: AsyncIterable<Uint8Array>) => {
    files.push([file, contents]);
    for (const [name, { byteLength }] of held) {
      weightMap.set(name, file);
      totalSize += byteLength;
    }
  };
  for (const [source, held] of shards) {
    const base = source.name.split(/[/\\]/).at(-1)!;
    const file = base.replace(/\.bin$/, ".safetensors");
    const changed = [...held.keys()].filter((name) => changes.has(name));
    const after = new Map([...held].map(([name, tensor]) => [name, changes.get(name) ?? tensor]));
    for (const name of changed) left.delete(name);
    const asItIs = changed.length === 0 && file === base && (await holdsExactly(source, held));
    put(file, after, asItIs ? pieces(source, 0, source.size) : safetensorsPieces(after));
  }
  if (left.size > 0) put(headShard, left, safetensorsPieces(left));
  // From entries, with which "__proto__" is a name like any other.
  const index = { metadata: { total_size: totalSize }, weight_map: Object.fromEntries(weightMap) };
  return [...files, [safetensorsIndex, `${JSON.stringify(index, undefined, 2)}\n`]];
}

/** Whether a shard holds these tensors under these names and no others: some names may lie there behind those of a wrapper. */
async function holdsExactly(source: ByteSource, held: ReadonlyMap<string, TensorEntry>): Promise<boolean> {
  const { tensors } = await readSafetensorsHeader(source);
  return tensors.size === held.size && [...held.keys()].every((name) => tensors.has(name));
}

async function* safetensorsPieces(tensors: ReadonlyMap<string, TensorEntry>): AsyncGenerator<Uint8Array> {
  const named = [...tensors].map(([name, tensor]) => ({ ...tensor, name }));
  // transformers refuses a file that does not say what it was made with.
  const file = layOutSafetensors(named, { format: "pt" });
  yield file.header;
  for (const { source, offset, byteLength } of file.tensors) yield* pieces(source, offset, byteLength);
}
