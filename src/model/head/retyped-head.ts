import { blocksOf, blockTensor } from "../../tensor/blocks/block-tensor.js";
import { blockRowBytes } from "../../tensor/blocks/block-types.js";
import { quantise } from "../../tensor/blocks/quantise.js";
import { computedRows } from "../../tensor/computed-rows.js";
import { bytesPerElement, encodeFloats } from "../../tensor/dtype.js";
import { readTensor, type TensorEntry } from "../../tensor/safetensors/safetensors.js";
import { tensorRows } from "../../tensor/tensor-rows.js";

/** Number types that a head can be given in place of its own. */
export const headTypes = ["F32", "F16", "Q8_0"] as const;
export type HeadType = (typeof headTypes)[number];

/** E in another number type: its numbers as that type makes them, when they are read. */
export function retypedWeight(weight: TensorEntry, type: HeadType): TensorEntry {
  if ((blocksOf(weight)?.type ?? weight.dtype) === type) return weight;
  const [rows, width] = weight.shape as [number, number];
  const read = (start: number, end: number) => readTensor(tensorRows(weight, start, end));
  const { name } = weight.source;
  if (type === "Q8_0") {
    const make = async (start: number, end: number) => quantise(type, await read(start, end));
    const source = computedRows({ name, rows, rowBytes: blockRowBytes(type, width), make });
    return blockTensor(weight.name, weight.shape, { type, source, offset: 0 });
  }
  const make = async (start: number, end: number) => encodeFloats(type, await read(start, end));
  const source = computedRows({ name, rows, rowBytes: width * bytesPerElement[type], make });
  return { ...weight, dtype: type, source, offset: 0, byteLength: source.size };
}
