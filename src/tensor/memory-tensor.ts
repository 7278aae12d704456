import { bytesSource } from "./byte-source.js";
import { encodeFloats, type FloatDType } from "./dtype.js";
import type { TensorEntry } from "./safetensors/safetensors.js";

/** Numbers in memory as a tensor that graphs can refer to, rounded to its number type. */
export function memoryTensor(
  name: string,
  dtype: FloatDType,
  shape: readonly number[],
  values: Float32Array | Float64Array,
): TensorEntry {
  const count = shape.reduce((product, size) => product * size, 1);
  if (values.length !== count) {
    throw new RangeError(`tensor "${name}" has ${values.length} numbers where [${shape.join(", ")}] needs ${count}`);
  }
  const bytes = encodeFloats(dtype, values);
  return { name, dtype, shape, offset: 0, byteLength: bytes.byteLength, source: bytesSource(name, bytes) };
}

/** Places in another tensor, as a tensor that graphs can refer to. */
export function memoryIndices(name: string, indices: Int32Array): TensorEntry {
  const bytes = new Uint8Array(BigInt64Array.from(indices, BigInt).buffer);
  return {
    name,
    dtype: "I64",
    shape: [indices.length],
    offset: 0,
    byteLength: bytes.length,
    source: bytesSource(name, bytes),
  };
}
