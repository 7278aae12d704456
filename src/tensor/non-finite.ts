import { blocksOf } from "./blocks/block-tensor.js";
import { findNonFiniteBlock } from "./blocks/finite-blocks.js";
import { bytesPerElement, decodeFloat32, decodeFloat64, type FloatDType, isFloatDType, view } from "./dtype.js";
import type { TensorEntry } from "./safetensors/safetensors.js";
import { storedTransposed } from "./tensor-views.js";

export interface NonFinite {
  /** Index of the element in the flattened tensor. */
  readonly index: number;
  readonly value: "NaN" | "Infinity" | "-Infinity";
}

/** Read at once: large enough to amortise a read, small enough not to matter beside the model. */
const chunkBytes = 2 ** 20;

/** Scanned between two looks at the flags: stays in the nearest cache. */
const blockWords = 4096;

/**
 * The first element of a floating-point tensor that is NaN or infinite; undefined if there is none, or if the tensor's
 * numbers are of another type. Memory does not grow with the tensor.
 * @throws InputError if the bytes cannot be read
 */
export async function findNonFinite(entry: TensorEntry): Promise<NonFinite | undefined> {
  const { dtype, source } = entry;
  if (!isFloatDType(dtype)) return undefined;
  const blocks = blocksOf(entry);
  if (blocks !== undefined) return findNonFiniteBlock(blocks);
  const stored = storedTransposed(entry);
  if (stored !== undefined) return transposed(await findNonFinite(stored), stored.shape);
  const chunk = new Uint8Array(Math.min(chunkBytes, entry.byteLength));
  for (let start = 0; start < entry.byteLength; start += chunkBytes) {
    const length = Math.min(chunkBytes, entry.byteLength - start);
    const found = findInBytes(dtype, await source.read(entry.offset + start, length, chunk));
    if (found !== undefined) return { ...found, index: found.index + start / bytesPerElement[dtype] };
  }
  return undefined;
}

/** The same element of the matrix [m, n] that a stored one [n, m] stands for. */
function transposed(found: NonFinite | undefined, [rows = 1, columns = 1]: readonly number[]): NonFinite | undefined {
  if (found === undefined) return undefined;
  return { ...found, index: (found.index % columns) * rows + Math.floor(found.index / columns) };
}

/**
 * A number is NaN or infinite where all bits of its exponent are set: adding one unit to the exponent alone then
 * carries into the place of the sign. Two 32-bit words at a time hold one F64, two F32, or four F16 or BF16.
 */
const lanes: Record<FloatDType, { exponents: [even: number, odd: number]; units: [even: number, odd: number] }> = {
  F16: { exponents: [0x7c007c00, 0x7c007c00], units: [0x04000400, 0x04000400] },
  BF16: { exponents: [0x7f807f80, 0x7f807f80], units: [0x00800080, 0x00800080] },
  F32: { exponents: [0x7f800000, 0x7f800000], units: [0x00800000, 0x00800000] },
  F64: { exponents: [0, 0x7ff00000], units: [0, 0x00100000] },
};

function findInBytes(dtype: FloatDType, bytes: Uint8Array): NonFinite | undefined {
  const words = view(Int32Array, bytes);
  for (let start = 0; start < words.length; start += blockWords) {
    const end = Math.min(start + blockWords, words.length);
    if (hasNonFinite(dtype, words, start, end)) return locate(dtype, bytes, start * 4, end * 4);
  }
  return locate(dtype, bytes, words.length * 4, bytes.byteLength);
}

function hasNonFinite(dtype: FloatDType, words: Int32Array, start: number, end: number): boolean {
  const { exponents, units } = lanes[dtype];
  const [evenExponents, oddExponents] = exponents;
  const [evenUnits, oddUnits] = units;
  let carries = 0;
  let i = start;
  for (; i + 1 < end; i += 2) {
    carries |= (words[i]! & evenExponents) + evenUnits;
    carries |= (words[i + 1]! & oddExponents) + oddUnits;
  }
  // A last word alone is never half of an F64.
  if (i < end) carries |= (words[i]! & evenExponents) + evenUnits;
  const signs = dtype === "F16" || dtype === "BF16" ? 0x80008000 : 0x80000000;
  return (carries & signs) !== 0;
}

function locate(dtype: FloatDType, bytes: Uint8Array, start: number, end: number): NonFinite | undefined {
  const part = bytes.subarray(start, end);
  // A finite float64 may be infinite as a float32.
  const values = dtype === "F64" ? decodeFloat64(dtype, part) : decodeFloat32(dtype, part);
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index < 0) return undefined;
  return { index: start / bytesPerElement[dtype] + index, value: `${values[index]!}` as NonFinite["value"] };
}
