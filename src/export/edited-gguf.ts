import { InputError } from "../errors.js";
import { familyOf } from "../model/gguf/families.js";
import { ggufFilesOf } from "../model/gguf/gguf-folder.js";
import { ggufMetadata } from "../model/gguf/gguf-metadata.js";
import { changedHead } from "../model/head/changed-head.js";
import type { HeadChange } from "../model/head/head-change.js";
import type { HeadModel } from "../model/head/head-model.js";
import { blocksOf } from "../tensor/blocks/block-tensor.js";
import { blockRowBytes } from "../tensor/blocks/block-types.js";
import type { GgufFile, GgufType } from "../tensor/gguf/gguf-file.js";
import { type TensorToWrite, writeGguf } from "../tensor/gguf/write-gguf.js";
import type { TensorEntry } from "../tensor/safetensors/safetensors.js";
import { type ModelFile, requireWritable } from "./model-files.js";

/** How a changed head goes into a GGUF file. */
export interface GgufEdit {
  readonly change: HeadChange;
  /** What was asked for, as JSON: it stays in the file, as metadata `unembed.plan`. */
  readonly plan?: string | undefined;
  /** Change the input embedding itself where the head is tied to it. */
  readonly keepTied?: boolean | undefined;
}

const planKey = "unembed.plan";
const embeddingName = "token_embd.weight";
const headName = "output.weight";
const biasName = "output.bias";

/**
 * The GGUF file of a model with another head, or its shards: all other tensors and all metadata byte for byte. A tied head
 * becomes a tensor of its own where llama.cpp takes one.
 * @throws InputError if the model is none of a GGUF file, its architecture has no place for the head, or a number does not fit
 */
export async function editedGguf(model: HeadModel, edit: GgufEdit): Promise<ModelFile[]> {
  requirePlace(model, edit);
  const files = ggufFilesOf(model.folder)!;
  const changes = await changedTensors(model, edit);
  const known = new Set(files.flatMap((file) => [...file.tensors.keys()]));
  const added = changes.filter(({ name }) => !known.has(name)).length;
  const texts = new Map(edit.plan === undefined ? [] : [[planKey, edit.plan]]);
  return files.map((file, index) => {
    // What no shard has is put into the first.
    const own = changes.filter(({ name }) => file.tensors.has(name) || (index === 0 && !known.has(name)));
    const counts = new Map(
      added > 0 && file.metadata.has(tensorCountKey) ? [[tensorCountKey, known.size + added]] : [],
    );
    const contents = writeGguf(file, { tensors: own, texts: index === 0 ? texts : new Map(), counts });
    return [fileNameOf(file), contents] as const;
  });
}

const tensorCountKey = "split.tensors.count";

function fileNameOf({ source }: GgufFile): string {
  return source.name.split(/[/\\]/).at(-1)!;
}

/** @throws InputError as editedGguf, as far as that is known before anything is computed */
export function requirePlace(model: HeadModel, { keepTied = false }: Pick<GgufEdit, "keepTied">): void {
  const files = ggufFilesOf(model.folder);
  if (files === undefined) {
    throw new InputError(model.name, "is no GGUF file, and GGUF is written only of those: see --format");
  }
  const metadata = ggufMetadata(files[0]!);
  const { tiedOnly } = familyOf({ metadata });
  if (!model.head.tied || keepTied || !tiedOnly) return;
  throw new InputError(
    model.name,
    `has a tied head, and llama.cpp takes no other in models of ${metadata.architecture}: --keep-tied changes the input ` +
      "embedding with it, which changes how the tokens are read too",
  );
}

async function changedTensors(model: HeadModel, { change, keepTied = false }: GgufEdit): Promise<TensorToWrite[]> {
  const head = changedHead(model.head, change);
  const changed: TensorToWrite[] = [];
  const { tied } = model.head;
  const name = tied && keepTied ? embeddingName : headName;
  await requireWritable(model.name, name, head.weight);
  changed.push(asWritten(head.weight, name));
  if (change.bias !== undefined) {
    if (model.head.bias === undefined) throw new InputError(model.name, "has no output bias to put one into");
    changed.push(asWritten(head.bias!, biasName));
  }
  return changed;
}

/** The bytes of a tensor in the form in which it is stored. */
function asWritten(tensor: TensorEntry, name: string): TensorToWrite {
  const blocks = blocksOf(tensor);
  const { shape } = tensor;
  if (blocks === undefined) {
    const { source, offset, byteLength, dtype } = tensor;
    return { name, type: dtype as GgufType, shape, source, offset, byteLength };
  }
  const { type, source, offset, rows, width } = blocks;
  return { name, type, shape, source, offset, byteLength: rows * blockRowBytes(type, width) };
}
