import { type ByteSource, checkRange } from "./byte-source.js";
import type { TensorEntry } from "./safetensors/safetensors.js";

/**
 * Some rows of a tensor, read from where it lies as they are asked for.
 * @param rows of the tensor, in their new order [V'] @returns [V', ...]
 */
export function chosenRows(tensor: TensorEntry, rows: Int32Array): TensorEntry {
  const [count, ...rest] = tensor.shape as [number, ...number[]];
  const rowBytes = tensor.byteLength / count;
  const source: ByteSource = {
    name: `${tensor.source.name} (${rows.length} of its rows)`,
    size: rows.length * rowBytes,
    async read(offset, length) {
      checkRange(source, offset, length);
      const bytes = new Uint8Array(length);
      for (let at = offset; at < offset + length; ) {
        const { begin, end } = run(rows, rowBytes, at, offset + length);
        bytes.set(await tensor.source.read(tensor.offset + begin, end - begin), at - offset);
        at += end - begin;
      }
      return bytes;
    },
  };
  return { ...tensor, shape: [rows.length, ...rest], source, offset: 0, byteLength: source.size };
}

/** The longest stretch from a byte of the rows on that lies in one piece in the tensor: where it begins and ends there. */
function run(rows: Int32Array, rowBytes: number, from: number, to: number): { begin: number; end: number } {
  const first = Math.floor(from / rowBytes);
  let last = first;
  while ((last + 1) * rowBytes < to && rows[last + 1] === rows[last]! + 1) last++;
  const begin = rows[first]! * rowBytes + (from - first * rowBytes);
  return { begin, end: begin + Math.min(to, (last + 1) * rowBytes) - from };
}
