import { InputError } from "../../errors.js";
import { type BlockType, blockTypeNames, blockTypes } from "../blocks/block-types.js";
import type { ByteSource } from "../byte-source.js";
import { bytesPerElement } from "../dtype.js";
import { shapeSize } from "../safetensors/safetensors.js";
import { quote } from "../strict-json.js";
import { BytesWanted, type GgufValue, type HeaderCursor, headerCursor, keyName } from "./gguf-values.js";

/** Number types of tensors that are read: plain ones, and those in blocks. */
export type GgufType = "F32" | "F16" | "BF16" | BlockType;

/** A tensor of a GGUF file where it lies. */
export interface GgufTensor {
  readonly name: string;
  readonly type: GgufType;
  /** Rows first, as everywhere here: the file itself counts axes from the last one. */
  readonly shape: readonly number[];
  /** Of the first byte, counted from the start of the source. */
  readonly offset: number;
  readonly byteLength: number;
  readonly source: ByteSource;
}

/** A GGUF file: what its header says. */
export interface GgufFile {
  readonly source: ByteSource;
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** In the file's order. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  /** Bytes whose multiples tensors start at. */
  readonly alignment: number;
  /** [start, end) of each key and its value. */
  readonly keyPlaces: ReadonlyMap<string, readonly [start: number, end: number]>;
  /** Where the tensors' numbers start. */
  readonly dataStart: number;
}

/** Versions 2 and 3 are laid out alike; version 1 had shorter counts. */
const versions = [2, 3];
const magic = 0x46554747;

/** Headers of the largest vocabularies take 20 MB. */
const maxHeaderBytes = 2 ** 28;
const firstBytes = 2 ** 18;

/** llama.cpp's own bounds on tensors' names and axes; more tensors and keys than any model has. */
const maxNameBytes = 63;
const maxAxes = 4;
const maxTensors = 2 ** 17;
const maxKeys = 2 ** 14;
const maxKeyBytes = 2 ** 16 - 1;
const maxAlignment = 2 ** 20;

const plainTypes: Readonly<Record<number, "F32" | "F16" | "BF16">> = { 0: "F32", 1: "F16", 30: "BF16" };

/** Names of what else ggml has or had by these numbers, for messages. */
const otherTypes: Readonly<Record<number, string>> = {
  ...{ 4: "Q4_2", 5: "Q4_3", 9: "Q8_1", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S" },
  ...{ 21: "IQ3_S", 22: "IQ2_S", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M" },
  ...{ 31: "Q4_0_4_4", 32: "Q4_0_4_8", 33: "Q4_0_8_8", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4", 40: "NVFP4" },
};

/** Types that are read, for messages. */
const ggufTypes: readonly GgufType[] = ["F32", "F16", "BF16", ...blockTypeNames];

/**
 * Reads the header of a GGUF file (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md); nothing of the tensors' numbers
 * is read. As strict as llama.cpp: tensors lie one after the other, each at the next multiple of the alignment, and end with
 * the file.
 * @throws InputError naming the file and the field
 */
export async function readGgufFile(source: ByteSource): Promise<GgufFile> {
  for (let length = Math.min(firstBytes, source.size); ; ) {
    try {
      return parseHeader(source, await source.read(0, length));
    } catch (error) {
      if (!(error instanceof BytesWanted)) throw error;
      if (error.bytes > maxHeaderBytes) {
        throw new InputError(source.name, `header is longer than ${maxHeaderBytes} bytes, more than any model needs`);
      }
      length = Math.min(Math.max(2 * length, error.bytes), maxHeaderBytes, source.size);
    }
  }
}

function parseHeader(source: ByteSource, bytes: Uint8Array): GgufFile {
  const cursor = headerCursor(source.name, bytes, source.size);
  const version = readVersion(source, cursor);
  const tensorCount = bounded(source, "the number of tensors", cursor.count("the number of tensors"), maxTensors);
  const keyCount = bounded(source, "the number of metadata keys", cursor.count("the number of keys"), maxKeys);
  const metadata = new Map<string, GgufValue>();
  const keyPlaces = new Map<string, readonly [start: number, end: number]>();
  for (let index = 0; index < keyCount; index++) {
    const start = cursor.place;
    const key = cursor.string("a metadata key", maxKeyBytes);
    if (key === "") throw new InputError(source.name, "has a metadata key without a name");
    if (metadata.has(key)) throw new InputError(source.name, `${keyName(key)} is there twice`);
    metadata.set(key, cursor.value(keyName(key)));
    keyPlaces.set(key, [start, cursor.place]);
  }
  const alignment = readAlignment(source, metadata);
  const described: Described[] = [];
  for (let index = 0; index < tensorCount; index++) described.push(describeTensor(source, cursor));
  const dataStart = padded(cursor.place, alignment);
  return {
    source,
    version,
    metadata,
    alignment,
    keyPlaces,
    tensors: placeTensors(source, described, dataStart, alignment),
    dataStart,
  };
}

function readVersion(source: ByteSource, cursor: HeaderCursor): number {
  if (source.size < 24) throw new InputError(source.name, `is ${source.size} bytes long, too short for a GGUF file`);
  if (cursor.number("uint32") !== magic) throw new InputError(source.name, 'does not begin with "GGUF"');
  const version = cursor.number("uint32");
  if (versions.includes(version)) return version;
  if ((version & 0xffff) === 0) {
    throw new InputError(source.name, "is a big-endian GGUF file; only little-endian ones are read");
  }
  throw new InputError(source.name, `is GGUF version ${version}; versions ${versions.join(" and ")} are read`);
}

function bounded(source: ByteSource, what: string, count: number, most: number): number {
  if (count <= most) return count;
  throw new InputError(source.name, `${what} is ${count}; ${most} are the most`);
}

function readAlignment(source: ByteSource, metadata: ReadonlyMap<string, GgufValue>): number {
  const key = "general.alignment";
  const value = metadata.get(key) ?? 32;
  if (typeof value === "number" && Number.isInteger(Math.log2(value)) && value >= 1 && value <= maxAlignment)
    return value;
  throw new InputError(source.name, `${keyName(key)} is ${quote(`${value}`)}; a power of two is wanted`);
}

interface Described {
  readonly name: string;
  readonly type: GgufType;
  readonly shape: readonly number[];
  readonly byteLength: number;
  /** From where the numbers start. */
  readonly offset: number;
}

function describeTensor(source: ByteSource, cursor: HeaderCursor): Described {
  const name = cursor.string("the name of a tensor", maxNameBytes);
  const refuse = (problem: string) => new InputError(source.name, `tensor ${quote(name)} ${problem}`);
  const axes = cursor.number("uint32");
  if (axes < 1 || axes > maxAxes) throw refuse(`has ${axes} axes; 1 to ${maxAxes} are wanted`);
  const sizes = Array.from({ length: axes }, () => cursor.count(`the size of tensor ${quote(name)}`));
  if (sizes.includes(0)) throw refuse(`has the impossible shape [${sizes.reverse().join(", ")}]`);
  const type = typeOf(cursor.number("uint32"), refuse);
  const offset = cursor.count(`the offset of tensor ${quote(name)}`);
  const shape = sizes.reverse();
  return { name, type, shape, byteLength: byteLengthOf(type, shape, refuse), offset };
}

function typeOf(id: number, refuse: (problem: string) => InputError): GgufType {
  const known = plainTypes[id] ?? blockTypeNames.find((type) => blockTypes[type].id === id);
  if (known !== undefined) return known;
  throw refuse(`has number type ${otherTypes[id] ?? id}, which is not read; ${ggufTypes.join(", ")} are`);
}

function byteLengthOf(type: GgufType, shape: readonly number[], refuse: (problem: string) => InputError): number {
  const width = shape.at(-1)!;
  const block = isBlockType(type) ? blockTypes[type] : { weights: 1, bytes: bytesPerElement[type] };
  if (width % block.weights !== 0) throw refuse(`has rows of ${width} numbers, which are no whole blocks of ${type}`);
  const size = shapeSize([...shape.slice(0, -1), width / block.weights], block.bytes);
  if (size === undefined) throw refuse(`has a shape too large to be: [${shape.join(", ")}]`);
  return size;
}

/** The number by which files name a type. */
export function typeId(type: GgufType): number {
  if (isBlockType(type)) return blockTypes[type].id;
  return Number(Object.keys(plainTypes).find((id) => plainTypes[Number(id)] === type));
}

/** Whether numbers lie in blocks. */
export function isBlockType(type: GgufType): type is BlockType {
  return Object.hasOwn(blockTypes, type);
}

/** The next multiple of the alignment. */
export function padded(place: number, alignment: number): number {
  return Math.ceil(place / alignment) * alignment;
}

function placeTensors(
  source: ByteSource,
  described: readonly Described[],
  data: number,
  alignment: number,
): Map<string, GgufTensor> {
  const tensors = new Map<string, GgufTensor>();
  let expected = 0;
  for (const { name, type, shape, byteLength, offset } of described) {
    const refuse = (problem: string) => new InputError(source.name, `tensor ${quote(name)} ${problem}`);
    if (tensors.has(name)) throw refuse("is there twice");
    if (offset !== expected) throw refuse(`lies at offset ${offset}, where the one before it ends at ${expected}`);
    if (data + offset + byteLength > source.size) {
      throw refuse(`ends beyond the file's ${source.size} bytes: cut off, download it again`);
    }
    tensors.set(name, { name, type, shape, offset: data + offset, byteLength, source });
    expected = padded(offset + byteLength, alignment);
  }
  if (source.size > Math.max(data + expected, data)) {
    throw new InputError(source.name, `${source.size - data - expected} bytes at its end belong to no tensor`);
  }
  return tensors;
}
