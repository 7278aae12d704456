import { copyBack } from "./copy-back.js";

/**
 * Decompresses an LZ4 block (https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md).
 * @param size of the result
 * @throws RangeError if the block is broken or gives another size
 */
export function lz4Decompress(input: Uint8Array, size: number): Uint8Array {
  const output = new Uint8Array(size);
  const filled = lz4Into(output, 0, input);
  if (filled !== size) throw new RangeError(`LZ4 data gives ${filled} bytes, not ${size}`);
  return output;
}

/**
 * The same of pages whose codec is plain "LZ4": blocks as Hadoop frames them, each with its sizes before it or, as early
 * writers did, one bare block (https://github.com/apache/parquet-format/blob/master/Compression.md).
 */
export function hadoopLz4Decompress(input: Uint8Array, size: number): Uint8Array {
  return framedBlocks(input, size) ?? lz4Decompress(input, size);
}

/** @returns undefined if the bytes are not framed */
function framedBlocks(input: Uint8Array, size: number): Uint8Array | undefined {
  const output = new Uint8Array(size);
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  let [at, filled] = [0, 0];
  while (input.length - at >= 8) {
    const end = filled + view.getUint32(at);
    const blockEnd = at + 8 + view.getUint32(at + 4);
    if (end > size || blockEnd > input.length) return undefined;
    try {
      filled = lz4Into(output.subarray(0, end), filled, input.subarray(at + 8, blockEnd));
    } catch {
      return undefined;
    }
    if (filled !== end) return undefined;
    at = blockEnd;
  }
  return at === input.length && filled === size ? output : undefined;
}

/** @returns how far the output is filled then; references go back to its start */
function lz4Into(output: Uint8Array, start: number, input: Uint8Array): number {
  let at = 0;
  let filled = start;
  const next = (): number => {
    const byte = input[at++];
    if (byte === undefined) throw new RangeError("LZ4 data ends too early");
    return byte;
  };
  const lengthFrom = (nibble: number): number => {
    let length = nibble;
    if (nibble < 15) return length;
    for (let byte = 255; byte === 255; length += byte) byte = next();
    return length;
  };
  while (at < input.length) {
    const token = next();
    const literals = lengthFrom(token >> 4);
    if (literals > input.length - at || literals > output.length - filled) throw new RangeError("LZ4 data is broken");
    output.set(input.subarray(at, at + literals), filled);
    at += literals;
    filled += literals;
    // The last sequence has no match.
    if (at === input.length) break;
    const distance = next() + next() * 256;
    const length = lengthFrom(token & 15) + 4;
    if (distance === 0 || distance > filled || length > output.length - filled) {
      throw new RangeError("LZ4 data is broken");
    }
    copyBack(output, filled, distance, length);
    filled += length;
  }
  return filled;
}
