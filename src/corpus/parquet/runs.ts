import { readVarint, ThriftError, type ThriftReader } from "./thrift.js";

/** A value and how often it comes. */
export interface Run {
  value: number;
  count: number;
}

/**
 * Parquet's hybrid of run lengths and bit packing, a run at a time
 * (https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE).
 * @param bitWidth of a value, 0 to 32
 */
export function* readRuns(bytes: Uint8Array, bitWidth: number): Generator<Run, void> {
  const reader: ThriftReader = { bytes, offset: 0 };
  while (reader.offset < bytes.length) {
    const header = readVarint(reader);
    if (header % 2 === 0) {
      const width = Math.ceil(bitWidth / 8);
      if (width > bytes.length - reader.offset) throw new ThriftError("a run ends too early", true);
      const value = readBits(bytes, reader.offset * 8, width * 8);
      reader.offset += width;
      yield { value, count: header / 2 };
      continue;
    }
    const groups = (header - 1) / 2;
    if (bitWidth === 0) {
      yield { value: 0, count: groups * 8 };
      continue;
    }
    // Writers may leave out the end of the last group.
    const count = Math.min(groups * 8, Math.floor(((bytes.length - reader.offset) * 8) / bitWidth));
    for (let i = 0; i < count; i++)
      yield { value: readBits(bytes, reader.offset * 8 + i * bitWidth, bitWidth), count: 1 };
    reader.offset += groups * bitWidth;
  }
}

/** An unsigned number of up to 53 bits, low bits first. */
export function readBits(bytes: Uint8Array, bitOffset: number, width: number): number {
  let value = 0;
  let read = 0;
  while (read < width) {
    const at = bitOffset + read;
    const shift = at % 8;
    const taken = Math.min(8 - shift, width - read);
    value += ((bytes[Math.floor(at / 8)]! >> shift) & ((1 << taken) - 1)) * 2 ** read;
    read += taken;
  }
  return value;
}
