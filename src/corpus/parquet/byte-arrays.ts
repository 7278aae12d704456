import { type Dictionary, dictionaryText } from "./dictionary.js";
import { readBits, readRuns } from "./runs.js";
import { readInteger, readVarint, ThriftError, type ThriftReader } from "./thrift.js";

/** Parquet's numbers of the encodings that byte arrays have. */
const encodings = { plain: 0, plainDictionary: 2, deltaLength: 6, delta: 7, dictionary: 8 };

/** A page of 16 million texts is beyond what any writer makes; bounds the lists of lengths, which can be a few bytes. */
const maxLengths = 2 ** 24;

/**
 * The byte arrays of a page, as they are asked for; not copied where they lie in one piece.
 * @param encoding Parquet's number  @param count how many there are
 */
export function readByteArrays(
  bytes: Uint8Array,
  encoding: number,
  count: number,
  dictionary: Dictionary | undefined,
): Iterator<Uint8Array, void> {
  switch (encoding) {
    case encodings.plain:
      return readPlain(bytes);
    case encodings.plainDictionary:
    case encodings.dictionary:
      return readIndexed(bytes, dictionary);
    case encodings.deltaLength:
      return readDeltaLength({ bytes, offset: 0 }, count);
    case encodings.delta:
      return readDelta({ bytes, offset: 0 }, count);
    default:
      throw new ThriftError(`encoding ${encoding}, which texts don't have`);
  }
}

/** Byte arrays of the encoding PLAIN: each with its length in four bytes before it. */
function* readPlain(bytes: Uint8Array): Generator<Uint8Array, void> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = 0;
  while (offset < bytes.length) {
    if (bytes.length - offset < 4) throw new ThriftError("a page ends inside a length", true);
    const length = view.getUint32(offset, true);
    offset += 4;
    if (length > bytes.length - offset) throw new ThriftError("a page ends inside a text", true);
    yield bytes.subarray(offset, offset + length);
    offset += length;
  }
}

function* readIndexed(bytes: Uint8Array, dictionary: Dictionary | undefined): Generator<Uint8Array, void> {
  if (dictionary === undefined) throw new ThriftError("a page refers to a dictionary that is not there");
  const bitWidth = bytes[0] ?? 0;
  if (bitWidth > 32) throw new ThriftError(`a page has indices of ${bitWidth} bits`);
  for (const { value, count } of readRuns(bytes.subarray(1), bitWidth)) {
    const text = dictionaryText(dictionary, value);
    for (let i = 0; i < count; i++) yield text;
  }
}

/** All lengths first, then the bytes. */
function* readDeltaLength(reader: ThriftReader, count: number): Generator<Uint8Array, void> {
  const { bytes } = reader;
  for (const length of readPackedDeltas(reader, count)) {
    if (length < 0 || length > bytes.length - reader.offset) throw new ThriftError("a page ends inside a text", true);
    reader.offset += length;
    yield bytes.subarray(reader.offset - length, reader.offset);
  }
}

/** Byte arrays of DELTA_BYTE_ARRAY: how many bytes each shares with the start of the one before, then the rests. */
function* readDelta(reader: ThriftReader, count: number): Generator<Uint8Array, void> {
  const shared = readPackedDeltas(reader, count);
  const rests = readDeltaLength(reader, count);
  let previous: Uint8Array = new Uint8Array(0);
  let index = 0;
  for (const rest of rests) {
    const length = shared[index++] ?? 0;
    if (length < 0 || length > previous.length) throw new ThriftError("a text shares more than there is");
    const text = new Uint8Array(length + rest.length);
    text.set(previous.subarray(0, length));
    text.set(rest, length);
    yield text;
    previous = text;
  }
}

/** 32-bit numbers as bit-packed differences (DELTA_BINARY_PACKED), which wrap. */
function readPackedDeltas(reader: ThriftReader, count: number): Int32Array {
  const { bytes } = reader;
  const blockSize = readVarint(reader);
  const blocks = readVarint(reader);
  const total = readVarint(reader);
  if (total !== count || total > maxLengths) throw new ThriftError(`${total} lengths where ${count} texts are`);
  const perBlock = blockSize / blocks;
  if (!Number.isInteger(perBlock) || perBlock % 8 !== 0 || blocks > bytes.length) {
    throw new ThriftError(`lengths in blocks of ${blockSize} / ${blocks}`);
  }
  const values = new Int32Array(total);
  let value = readInteger(reader);
  if (total > 0) values[0] = value;
  for (let index = 1; index < total; ) {
    const minDelta = readInteger(reader);
    const widths = bytes.subarray(reader.offset, reader.offset + blocks);
    reader.offset += blocks;
    for (const width of widths) {
      if (index >= total) break;
      const byteLength = (perBlock * width) / 8;
      if (width > 32 || byteLength > bytes.length - reader.offset) throw new ThriftError("lengths end too early", true);
      for (let i = 0; i < perBlock && index < total; i++) {
        value = (value + minDelta + readBits(bytes, reader.offset * 8 + i * width, width)) | 0;
        values[index++] = value;
      }
      reader.offset += byteLength;
    }
    if (widths.length === 0) throw new ThriftError("lengths end too early", true);
  }
  return values;
}
