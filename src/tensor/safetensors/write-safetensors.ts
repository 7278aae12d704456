import { bytesPerElement, type DType, dtypes } from "../dtype.js";
import { shapeSize } from "./safetensors.js";

/** What the header of a safetensors file says of one tensor. */
export interface TensorLayout {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

export interface TensorData extends TensorLayout {
  /** Its numbers, row-major, as the dtype lays them out: a typed array of that type, or the bytes. */
  readonly data: ArrayBufferView;
}

/**
 * The start of a safetensors file, and the tensors in the order in which their bytes follow it. Same order and padding
 * as the reference implementation: widest type first, then by name; header padded with spaces to 8 bytes.
 * @throws RangeError if a name is taken twice or reserved, or a shape is not one of whole sizes
 */
export function layOutSafetensors<Tensor extends TensorLayout>(
  tensors: readonly Tensor[],
  metadata: Readonly<Record<string, string>> = {},
): { header: Uint8Array<ArrayBuffer>; tensors: Tensor[] } {
  const ordered = [...tensors].sort(
    (a, b) => dtypes.indexOf(b.dtype) - dtypes.indexOf(a.dtype) || compareCodePoints(a.name, b.name),
  );
  checkNames(ordered);
  const fields: string[] = [];
  const keys = Object.keys(metadata).sort(compareCodePoints);
  if (keys.length > 0) {
    const entries = keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(metadata[key])}`);
    fields.push(`"__metadata__":{${entries.join()}}`);
  }
  let offset = 0;
  for (const tensor of ordered) {
    const end = offset + layoutByteLength(tensor);
    const entry = { dtype: tensor.dtype, shape: tensor.shape, data_offsets: [offset, end] };
    fields.push(`${JSON.stringify(tensor.name)}:${JSON.stringify(entry)}`);
    offset = end;
  }
  const json = new TextEncoder().encode(`{${fields.join()}}`);
  const padded = Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(8 + padded).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(json, 8);
  return { header, tensors: ordered };
}

/**
 * A safetensors file, chunk by chunk; only the header is copied.
 * @throws RangeError if a tensor's data does not have the bytes of its dtype and shape
 */
export function safetensorsChunks(
  tensors: readonly TensorData[],
  metadata?: Readonly<Record<string, string>>,
): Uint8Array[] {
  const file = layOutSafetensors(tensors, metadata);
  return [file.header, ...file.tensors.map(tensorBytes)];
}

/** A whole safetensors file in memory. @throws RangeError as safetensorsChunks */
export function writeSafetensors(
  tensors: readonly TensorData[],
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const chunks = safetensorsChunks(tensors, metadata);
  const file = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.byteLength, 0));
  let offset = 0;
  for (const chunk of chunks) {
    file.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return file;
}

function layoutByteLength({ name, dtype, shape }: TensorLayout): number {
  const byteLength = shapeSize(shape, bytesPerElement[dtype]);
  if (byteLength === undefined || !shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new RangeError(`tensor "${name}" has the impossible shape [${shape.join(", ")}]`);
  }
  return byteLength;
}

/** The bytes of a tensor. @throws RangeError if they are not what its dtype and shape say */
export function tensorBytes(tensor: TensorData): Uint8Array {
  const { name, dtype, shape, data } = tensor;
  const wanted = layoutByteLength(tensor);
  if (data.byteLength !== wanted) {
    throw new RangeError(
      `tensor "${name}" has ${data.byteLength} bytes where ${dtype} [${shape.join(", ")}] needs ${wanted}`,
    );
  }
  if (!(data instanceof Uint8Array || acceptedArrays[dtype].some((type) => data instanceof type))) {
    throw new RangeError(`tensor "${name}": a ${data.constructor.name} does not hold ${dtype} numbers`);
  }
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

const acceptedArrays: Record<DType, (new () => ArrayBufferView)[]> = {
  BOOL: [],
  U8: [],
  I8: [Int8Array],
  F8_E5M2: [],
  F8_E4M3: [],
  F8_E8M0: [],
  F8_E4M3FNUZ: [],
  F8_E5M2FNUZ: [],
  I16: [Int16Array],
  U16: [Uint16Array],
  F16: [Uint16Array],
  BF16: [Uint16Array],
  I32: [Int32Array],
  U32: [Uint32Array],
  F32: [Float32Array],
  C64: [Float32Array],
  F64: [Float64Array],
  I64: [BigInt64Array],
  U64: [BigUint64Array],
};

function checkNames(tensors: readonly TensorLayout[]): void {
  const names = new Set<string>();
  for (const { name } of tensors) {
    if (name === "__metadata__") throw new RangeError('a tensor cannot be named "__metadata__"');
    if (names.has(name)) throw new RangeError(`two tensors are named "${name}"`);
    names.add(name);
  }
}

/** The order of the names' UTF-8 bytes, as the reference implementation sorts. */
function compareCodePoints(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    if (a.charCodeAt(i) !== b.charCodeAt(i)) return a.codePointAt(i)! - b.codePointAt(i)!;
  }
  return a.length - b.length;
}
