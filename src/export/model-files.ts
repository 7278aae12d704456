import { InputError } from "../errors.js";
import { idMapFile } from "../model/id-map.js";
import type { InnerModel } from "../model/text-part.js";
import { storedType } from "../tensor/blocks/block-tensor.js";
import type { ByteSource, Folder } from "../tensor/byte-source.js";
import { nestedText, withFields, withNestedFields } from "../tensor/json-fields.js";
import { findNonFinite } from "../tensor/non-finite.js";
import type { TensorEntry } from "../tensor/safetensors/safetensors.js";
import { parseStrictJson } from "../tensor/strict-json.js";

/** A file of a model's folder, its name with "/" between folders: its bytes, piece by piece. */
export type ModelFile = readonly [name: string, contents: string | Uint8Array | AsyncIterable<Uint8Array>];

/** Read and written at once. */
const pieceBytes = 4 * 2 ** 20;

/** What a model needs beside its weights, as far as the original has it. */
const plainFiles = [
  "generation_config.json",
  ...["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "tokenizer.model"],
  ...["vocab.json", "vocab.txt", "merges.txt", "chat_template.jinja", "chat_template.json"],
  // Of a trimmed vocabulary, which stays what it is.
  idMapFile,
  ...["README.md", "LICENSE", "LICENSE.md", "LICENSE.txt", "NOTICE"],
];

/**
 * A model's files beside its weights, as they are but for some fields of its config.
 * @param part a part of a larger model whose config is wanted by itself
 * @throws InputError if there is no config.json, or it cannot be read
 */
export async function filesBesideWeights(
  folder: Folder,
  configFields: Readonly<Record<string, unknown>>,
  part?: Pick<InnerModel, "field" | "fields">,
): Promise<ModelFile[]> {
  const config = await folder.open("config.json");
  if (config === undefined) throw new InputError(folder.name, "config.json is missing");
  const bytes = await config.read(0, config.size);
  parseStrictJson(config.name, "config", bytes);
  const files: ModelFile[] = [["config.json", changedConfig(new TextDecoder().decode(bytes), configFields, part)]];
  for (const name of plainFiles) {
    const source = await folder.open(name);
    if (source !== undefined) files.push([name, pieces(source, 0, source.size)]);
  }
  return files;
}

function changedConfig(
  text: string,
  fields: Readonly<Record<string, unknown>>,
  part?: Pick<InnerModel, "field" | "fields">,
): string {
  if (part !== undefined) {
    const own = part.field === undefined ? text : (nestedText(text, part.field) ?? "{}");
    return `${withFields(own, { ...part.fields, ...fields }).trimEnd()}\n`;
  }
  const changed = withFields(text, fields);
  const { tie_word_embeddings } = fields;
  // Said of the text part of a larger model too: some releases of transformers look there alone.
  return tie_word_embeddings === undefined
    ? changed
    : withNestedFields(changed, "text_config", { tie_word_embeddings });
}

export async function* pieces(source: ByteSource, offset: number, byteLength: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < byteLength; start += pieceBytes) {
    yield await source.read(offset + start, Math.min(pieceBytes, byteLength - start));
  }
}

/** @throws InputError if a number of a changed head does not fit its number type */
export async function requireWritable(place: string, name: string, tensor: TensorEntry): Promise<void> {
  const bad = await findNonFinite(tensor);
  if (bad === undefined) return;
  const row = Math.floor(bad.index / (tensor.shape[1] ?? 1));
  throw new InputError(
    place,
    `tensor "${name}" would hold ${bad.value} in the row of token id ${row}: too large for ${storedType(tensor)}`,
  );
}
