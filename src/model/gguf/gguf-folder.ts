import { InputError } from "../../errors.js";
import { type ByteSource, bytesSource, type EndedAfter, type Folder } from "../../tensor/byte-source.js";
import type { TensorFolder } from "../../tensor/checkpoint-layouts.js";
import type { GgufFile, GgufTensor } from "../../tensor/gguf/gguf-file.js";
import { openShards } from "../../tensor/gguf/gguf-shards.js";
import { readTensor } from "../../tensor/safetensors/safetensors.js";
import { familyOf } from "./families.js";
import { type GgufContents, type RopeFactors, ropeFactorNames } from "./gguf-family.js";
import { type GgufMetadata, ggufMetadata } from "./gguf-metadata.js";
import { asStored, renamedTensors } from "./tensor-rules.js";
import { tokenId, tokenizerConfigJson, tokenizerJson } from "./tokenizer-json.js";

/** A GGUF file as the folder that transformers would have for its model. */
export interface GgufFolder extends TensorFolder {
  /** The file, or its shards in their order. */
  readonly gguf: readonly GgufFile[];
}

/** The GGUF files that a folder stands for; undefined if it is an ordinary one. */
export function ggufFilesOf(folder: Folder): readonly GgufFile[] | undefined {
  return "gguf" in folder ? (folder as GgufFolder).gguf : undefined;
}

/** Where a file lies, and what lies beside it. */
export interface GgufPlace {
  /** As it was asked for. */
  readonly name: string;
  /** The file's own name, without the folders that it lies in. */
  readonly fileName: string;
  /** @returns undefined if there is no such file beside it */
  openBeside(fileName: string): Promise<ByteSource | undefined>;
  /** How its chat template is ended where that takes too long. */
  readonly endedAfter?: EndedAfter | undefined;
}

/**
 * A GGUF file as a folder with config.json, tokenizer.json and tensors by the names that transformers has for them. Nothing of
 * the weights is read before they are used.
 * @throws InputError naming the file and what of it cannot be used
 */
export async function openGgufFolder(place: GgufPlace): Promise<GgufFolder> {
  const files = await openShards(place.fileName, place.openBeside);
  const [first] = files as [GgufFile, ...GgufFile[]];
  const metadata = ggufMetadata(first);
  const stored = new Map(files.flatMap((file) => [...file.tensors]));
  const contents: GgufContents = { metadata, tensors: stored, ropeFactors: await readRopeFactors(stored) };
  const family = familyOf(contents);
  const tensors = renamedTensors(stored, family.rules(contents), ropeFactorNames);
  const config = { ...family.config(contents), ...tokenIds(metadata) };
  const texts: Record<string, () => string | undefined> = {
    "config.json": () => JSON.stringify(config, undefined, 2),
    "tokenizer.json": () => tokenizerJson(metadata),
    "tokenizer_config.json": () => tokenizerConfigJson(metadata),
  };
  return {
    name: place.name,
    endedAfter: place.endedAfter,
    gguf: files,
    tensors,
    async open(fileName) {
      const text = Object.hasOwn(texts, fileName) ? texts[fileName]!() : undefined;
      return text === undefined ? undefined : bytesSource(first.source.name, new TextEncoder().encode(text));
    },
  };
}

async function readRopeFactors(tensors: ReadonlyMap<string, GgufTensor>): Promise<GgufContents["ropeFactors"]> {
  const found: Partial<Record<RopeFactors, number[]>> = {};
  for (const name of ropeFactorNames) {
    const tensor = tensors.get(name);
    if (tensor === undefined) continue;
    if (tensor.shape.length !== 1 || tensor.shape[0]! > maxRopeFactors) {
      throw new InputError(
        tensor.source.name,
        `tensor "${name}" has the impossible shape [${tensor.shape.join(", ")}]`,
      );
    }
    found[name] = [...(await readTensor(asStored(tensor, name)))];
  }
  return found;
}

/** Half as many as the numbers in a head. */
const maxRopeFactors = 2 ** 16;

function tokenIds(metadata: GgufMetadata): Record<string, number> {
  const [begin, end] = [tokenId(metadata, "bos"), tokenId(metadata, "eos")];
  return {
    ...(begin === undefined ? {} : { bos_token_id: begin }),
    ...(end === undefined ? {} : { eos_token_id: end }),
  };
}
