import { InputError } from "../../errors.js";
import type { ByteSource } from "../byte-source.js";
import {
  bytesPerElement,
  type DType,
  decodeFloat32Into,
  decodeFloat64,
  decodeIntegers,
  dtypes,
  isDType,
  isFloatDType,
  isIntegerDType,
} from "../dtype.js";
import { parseStrictJson, quote } from "../strict-json.js";

/** The reference implementation's own limit: a header this long describes more tensors than any model has. */
const maxHeaderBytes = 100_000_000;

/** A tensor where it lies: little-endian, row-major, contiguous. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Of the first byte, counted from the start of the source. */
  readonly offset: number;
  readonly byteLength: number;
  readonly source: ByteSource;
}

export interface SafetensorsFile {
  readonly source: ByteSource;
  /** In the order of their bytes. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  /** The file's `__metadata__`. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** PyTorch's own limit on the number of dimensions. */
const maxRank = 64;

interface HeaderEntry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Its bytes [begin, end) in the file's data. */
  readonly begin: number;
  readonly end: number;
}

/**
 * The tensors that a safetensors file holds. As strict as the reference implementation: they must cover the file
 * without overlap, hole or rest (https://github.com/huggingface/safetensors#format).
 * @throws InputError naming the file and the header field
 */
export async function readSafetensorsHeader(source: ByteSource): Promise<SafetensorsFile> {
  const headerLength = await readHeaderLength(source);
  const header = parseStrictJson(source.name, "header", await source.read(8, headerLength));
  if (!isRecord(header)) throw new InputError(source.name, "header is not a JSON object");
  const entries: HeaderEntry[] = [];
  let metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") metadata = parseMetadata(source, value);
    else entries.push(parseEntry(source, name, value));
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCover(source, entries, source.size - 8 - headerLength);
  const tensors = new Map(
    entries.map(({ name, dtype, shape, begin, end }) => [
      name,
      { name, dtype, shape, offset: 8 + headerLength + begin, byteLength: end - begin, source },
    ]),
  );
  return { source, tensors, metadata };
}

/** Read at once: the stored bytes of a large matrix are never held beside its numbers. */
const pieceBytes = 2 ** 20;

/**
 * Any floating-point tensor as float32, row-major.
 * @param into an array of its size to fill and return, for who reads many of one size and keeps none
 * @throws InputError if its numbers are of another type
 */
export async function readTensor(
  entry: TensorEntry,
  into?: Float32Array<ArrayBuffer>,
): Promise<Float32Array<ArrayBuffer>> {
  const { dtype, source, offset, byteLength } = entry;
  if (!isFloatDType(dtype)) throw wrongType(entry, "floating-point numbers");
  const width = bytesPerElement[dtype];
  const count = byteLength / width;
  const numbers = into?.length === count ? into : new Float32Array(count);
  const piece = new Uint8Array(Math.min(pieceBytes, byteLength));
  for (let start = 0; start < byteLength; start += pieceBytes) {
    const length = Math.min(pieceBytes, byteLength - start);
    decodeFloat32Into(numbers, start / width, dtype, await source.read(offset + start, length, piece));
  }
  return numbers;
}

/** Any floating-point tensor as float64, exactly, row-major. @throws InputError if its numbers are of another type */
export async function readTensorFloat64(entry: TensorEntry): Promise<Float64Array<ArrayBuffer>> {
  if (!isFloatDType(entry.dtype)) throw wrongType(entry, "floating-point numbers");
  return decodeFloat64(entry.dtype, await readBytes(entry));
}

/**
 * Any tensor of whole numbers (BOOL as 0 and 1), row-major, exactly.
 * @throws InputError if its numbers are of another type or beyond 2^53
 */
export async function readIntegers(entry: TensorEntry): Promise<Float64Array<ArrayBuffer>> {
  if (!isIntegerDType(entry.dtype)) throw wrongType(entry, "whole numbers");
  const bytes = await readBytes(entry);
  try {
    return decodeIntegers(entry.dtype, bytes);
  } catch (error) {
    throw new InputError(entry.source.name, `tensor ${quote(entry.name)}: ${(error as Error).message}`);
  }
}

function readBytes(entry: TensorEntry): Promise<Uint8Array> {
  return entry.source.read(entry.offset, entry.byteLength);
}

function wrongType(entry: TensorEntry, wanted: string): InputError {
  return new InputError(
    entry.source.name,
    `tensor ${quote(entry.name)} has number type ${entry.dtype} where ${wanted} are wanted`,
  );
}

async function readHeaderLength(source: ByteSource): Promise<number> {
  if (source.size < 8) {
    throw new InputError(source.name, `is ${source.size} bytes long, too short for a safetensors file`);
  }
  const bytes = await source.read(0, 8);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(source.size - 8)) {
    throw new InputError(
      source.name,
      `header length ${length} is beyond the end of the file (${source.size} bytes): cut off, or not a safetensors file`,
    );
  }
  if (length > BigInt(maxHeaderBytes)) {
    throw new InputError(source.name, `header length ${length} is above the limit of ${maxHeaderBytes} bytes`);
  }
  return Number(length);
}

function parseMetadata(source: ByteSource, value: unknown): Record<string, string> {
  if (!isRecord(value)) throw fieldError(source, "__metadata__", "is not an object");
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") throw fieldError(source, "__metadata__", `${quote(key)} is not a string`);
  }
  return value as Record<string, string>;
}

function parseEntry(source: ByteSource, name: string, value: unknown): HeaderEntry {
  const refuse = (problem: string) => fieldError(source, name, problem);
  if (!isRecord(value)) throw refuse("is not an object");
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string") throw refuse("dtype is missing or not a string");
  if (!isDType(dtype)) throw refuse(`dtype ${quote(dtype)} is unknown; known are ${dtypes.join(", ")}`);
  if (!isCounts(shape)) throw refuse("shape is missing or not an array of whole numbers");
  if (shape.length > maxRank) throw refuse(`shape has ${shape.length} dimensions, more than ${maxRank}`);
  const byteLength = shapeSize(shape, bytesPerElement[dtype]);
  if (byteLength === undefined) throw refuse(`shape [${shape.join(", ")}] is too large`);
  if (!isCounts(offsets) || offsets.length !== 2) throw refuse("data_offsets is missing or not two whole numbers");
  const [begin, end] = offsets as [number, number];
  if (end - begin !== byteLength) {
    throw refuse(
      `data_offsets [${begin}, ${end}] hold ${end - begin} bytes where ${dtype} [${shape.join(", ")}] needs ${byteLength}`,
    );
  }
  return { name, dtype, shape, begin, end };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

/** Product of the sizes and the width, or undefined where doubles no longer count exactly. */
export function shapeSize(shape: readonly number[], width: number): number | undefined {
  let size = width;
  for (const length of shape) {
    size *= length;
    if (!Number.isSafeInteger(size)) return undefined;
  }
  return size;
}

/** @param entries in order of their offsets */
function checkCover(source: ByteSource, entries: readonly HeaderEntry[], dataLength: number): void {
  let covered = 0;
  for (const { name, begin, end } of entries) {
    if (end > dataLength) {
      throw fieldError(
        source,
        name,
        `data_offsets [${begin}, ${end}] end beyond the file's ${dataLength} bytes of data: cut off, download it again`,
      );
    }
    if (begin < covered) throw fieldError(source, name, `data_offsets [${begin}, ${end}] overlap another tensor's`);
    if (begin > covered) {
      throw fieldError(source, name, `data_offsets [${begin}, ${end}] leave a hole after byte ${covered}`);
    }
    covered = end;
  }
  if (covered < dataLength) {
    throw new InputError(source.name, `${dataLength - covered} bytes at its end belong to no tensor of the header`);
  }
}

function fieldError(source: ByteSource, name: string, problem: string): InputError {
  return new InputError(source.name, `header field ${quote(name)}: ${problem}`);
}
