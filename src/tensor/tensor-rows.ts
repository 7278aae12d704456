import { bytesPerElement } from "./dtype.js";
import { readTensorFloat64, type TensorEntry } from "./safetensors/safetensors.js";

/** Rows [start, end) of a tensor [..., d], counted over all axes but the last, where they lie: [end - start, d]. */
export function tensorRows(tensor: TensorEntry, start: number, end: number): TensorEntry {
  const width = tensor.shape.at(-1) ?? 1;
  const rowBytes = width * bytesPerElement[tensor.dtype];
  return {
    ...tensor,
    shape: [end - start, width],
    offset: tensor.offset + start * rowBytes,
    byteLength: (end - start) * rowBytes,
  };
}

/** Some rows of a matrix such as E, and no others, as float64 [m, d]. @param ids of the rows wanted, [m] */
export async function readRows(tensor: TensorEntry, ids: ArrayLike<number>): Promise<Float64Array> {
  const width = tensor.shape.at(-1) ?? 1;
  const rows = new Float64Array(ids.length * width);
  for (let j = 0; j < ids.length; j++) {
    rows.set(await readTensorFloat64(tensorRows(tensor, ids[j]!, ids[j]! + 1)), j * width);
  }
  return rows;
}
