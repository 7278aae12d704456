import { blockRowsOf } from "../../tensor/blocks/block-rows.js";
import { blocksOf, readBlockRows } from "../../tensor/blocks/block-tensor.js";
import { decodeFloat64, encodeFloats, isFloatDType } from "../../tensor/dtype.js";
import type { TensorEntry } from "../../tensor/safetensors/safetensors.js";
import { readRows } from "../../tensor/tensor-rows.js";

/** New rows of E as they are when they are stored in its own number type. @param values [m, d] @returns [m, d] */
export function asStored(weight: TensorEntry, values: Float64Array): Float64Array {
  const blocks = blockRowsOf(weight);
  if (blocks !== undefined) return blocks.round(values);
  const { dtype } = weight;
  return isFloatDType(dtype) ? decodeFloat64(dtype, encodeFloats(dtype, values)) : values;
}

/** The row of a token, [d], for others to take as it is: of blocks the very blocks. */
export async function rowToCopy(weight: TensorEntry, id: number): Promise<Float64Array> {
  const blocks = blocksOf(weight);
  if (blocks === undefined) return readRows(weight, [id]);
  return blockRowsOf(weight)!.copied((await readBlockRows(blocks, id, id + 1)).slice());
}
