import { copyBack } from "./copy-back.js";

/**
 * Decompresses a raw Snappy block (https://github.com/google/snappy/blob/main/format_description.txt).
 * @param size of the result
 * @throws RangeError if the block is broken or gives another size
 */
export function snappyDecompress(input: Uint8Array, size: number): Uint8Array {
  let at = 0;
  const next = (): number => {
    const byte = input[at++];
    if (byte === undefined) throw new RangeError("Snappy data ends too early");
    return byte;
  };
  // The size as a varint; the page header has it too.
  while (next() >= 128);
  const output = new Uint8Array(size);
  let filled = 0;
  while (at < input.length) {
    const tag = next();
    if ((tag & 3) === 0) {
      let length = (tag >> 2) + 1;
      if (length > 60) {
        const width = length - 60;
        length = 1;
        for (let i = 0; i < width; i++) length += next() * 2 ** (8 * i);
      }
      if (length > input.length - at || length > size - filled) throw new RangeError("Snappy data is broken");
      output.set(input.subarray(at, at + length), filled);
      at += length;
      filled += length;
      continue;
    }
    const isShort = (tag & 3) === 1;
    const length = isShort ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    let distance = isShort ? (tag >> 5) * 256 + next() : next() + next() * 256;
    if ((tag & 3) === 3) distance += next() * 2 ** 16 + next() * 2 ** 24;
    if (distance === 0 || distance > filled || length > size - filled) throw new RangeError("Snappy data is broken");
    copyBack(output, filled, distance, length);
    filled += length;
  }
  if (filled !== size) throw new RangeError(`Snappy data gives ${filled} bytes, not ${size}`);
  return output;
}
