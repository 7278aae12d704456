/**
 * Reader of Thrift's compact protocol, the form of Parquet's metadata
 * (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md). Nothing is kept but what a handler
 * keeps, and every length is checked against what is left, so that metadata can't ask for more memory than it has bytes.
 */
export interface ThriftReader {
  readonly bytes: Uint8Array;
  offset: number;
}

/** The error of bytes that cannot be read. */
export class ThriftError extends Error {
  override readonly name = "ThriftError";
  constructor(
    message: string,
    /** Whether more bytes might help. */
    readonly isCutOff = false,
  ) {
    super(message);
  }
}

/** Type of a field or element. */
export const ThriftType = { true: 1, false: 2, i8: 3, i16: 4, i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const;

/** Deeper than any Parquet metadata; bounds the recursion. */
const maxDepth = 32;

/** Reads a struct: each field by its handler, given the field's type, or not at all. */
export function readStruct(
  reader: ThriftReader,
  handlers: Readonly<Record<number, (type: number) => void>>,
  depth = 0,
): void {
  let id = 0;
  for (;;) {
    const header = readByte(reader);
    const type = header & 15;
    if (type === 0) return;
    id = header >> 4 === 0 ? readInteger(reader) : id + (header >> 4);
    const handler = Object.hasOwn(handlers, id) ? handlers[id] : undefined;
    if (handler === undefined) skip(reader, type, depth);
    else handler(type);
  }
}

/** Reads the elements of a list, each by a call. */
export function readList(reader: ThriftReader, type: number, elementType: number, readElement: () => void): void {
  expect(type, ThriftType.list);
  const header = readByte(reader);
  expect(header & 15, elementType);
  for (let left = listLength(reader, header); left > 0; left--) readElement();
}

/** A whole number of any width. @throws ThriftError if it is beyond 2^53 */
export function readNumber(reader: ThriftReader, type: number): number {
  if (type < ThriftType.i16 || type > ThriftType.i64) throw new ThriftError(`type ${type} where a number is wanted`);
  return readInteger(reader);
}

export function readBoolean(type: number): boolean {
  if (type !== ThriftType.true && type !== ThriftType.false) {
    throw new ThriftError(`type ${type} where true or false is wanted`);
  }
  return type === ThriftType.true;
}

/** Bytes, not copied. */
export function readBinary(reader: ThriftReader, type: number): Uint8Array {
  expect(type, ThriftType.binary);
  const length = readVarint(reader);
  if (length > reader.bytes.length - reader.offset) throw cutOff();
  reader.offset += length;
  return reader.bytes.subarray(reader.offset - length, reader.offset);
}

export function readText(reader: ThriftReader, type: number): string {
  return new TextDecoder().decode(readBinary(reader, type));
}

export function expect(type: number, wanted: number): void {
  if (type !== wanted) throw new ThriftError(`type ${type} where type ${wanted} is wanted`);
}

function skip(reader: ThriftReader, type: number, depth: number): void {
  if (depth > maxDepth) throw new ThriftError(`nested more than ${maxDepth} deep`);
  switch (type) {
    case ThriftType.true:
    case ThriftType.false:
      return;
    case ThriftType.i8:
      readByte(reader);
      return;
    case ThriftType.i16:
    case ThriftType.i32:
    case ThriftType.i64:
      readBigVarint(reader);
      return;
    case 7:
      for (let i = 0; i < 8; i++) readByte(reader);
      return;
    case ThriftType.binary:
      readBinary(reader, type);
      return;
    case ThriftType.list:
    case 10: {
      const header = readByte(reader);
      // A truth value in a list has a byte of its own.
      const elementType = (header & 15) <= ThriftType.false ? ThriftType.i8 : header & 15;
      for (let left = listLength(reader, header); left > 0; left--) skip(reader, elementType, depth + 1);
      return;
    }
    case ThriftType.struct:
      readStruct(reader, {}, depth + 1);
      return;
    default:
      throw new ThriftError(`type ${type}, which Parquet doesn't use`);
  }
}

function listLength(reader: ThriftReader, header: number): number {
  const length = header >> 4 === 15 ? readVarint(reader) : header >> 4;
  // Each element has a byte at least.
  if (length > reader.bytes.length - reader.offset) throw cutOff();
  return length;
}

function readByte(reader: ThriftReader): number {
  const byte = reader.bytes[reader.offset++];
  if (byte === undefined) throw cutOff();
  return byte;
}

/** An unsigned number as seven bits a byte, low ones first. @throws ThriftError if it is beyond 2^53 */
export function readVarint(reader: ThriftReader): number {
  return toNumber(readBigVarint(reader));
}

/** A signed number, its sign in the lowest bit. @throws ThriftError if it is beyond 2^53 */
export function readInteger(reader: ThriftReader): number {
  const value = readBigVarint(reader);
  return toNumber(value & 1n ? -(value >> 1n) - 1n : value >> 1n);
}

function readBigVarint(reader: ThriftReader): bigint {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = readByte(reader);
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return value;
  }
  throw new ThriftError("a number longer than 64 bits");
}

function toNumber(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new ThriftError(`the number ${value} is beyond 2^53`);
  return number;
}

function cutOff(): ThriftError {
  return new ThriftError("ends too early", true);
}
