import { InputError } from "../../errors.js";
import type { ByteSource } from "../byte-source.js";
import { crc32 } from "../crc32.js";
import { quote } from "../strict-json.js";

/** A file stored in a zip archive, as the directory lists it. */
export interface ZipRecord extends DirectoryEntry {
  /** Offset of what follows it: the next record's header or the directory. */
  readonly next: number;
}

interface DirectoryEntry {
  readonly name: string;
  readonly nameLength: number;
  readonly localHeader: number;
  readonly byteLength: number;
  /** CRC-32 of its bytes; 0 where the writer left it out. */
  readonly checksum: number;
}

/** A directory this long lists more files than any archive of tensors has. */
const maxDirectoryBytes = 64 * 2 ** 20;

const endLength = 22;
const end64Length = 56;
const locator64Length = 20;
const directoryEntryLength = 46;
const localHeaderLength = 30;
const maxCommentBytes = 0xffff;

/**
 * The files of a zip archive that stores them as they are (PKWARE APPNOTE 6.3, zip64 included), from its directory alone.
 * @throws InputError if it is broken, compressed, encrypted or in several parts
 */
export async function readZipDirectory(source: ByteSource): Promise<ReadonlyMap<string, ZipRecord>> {
  const directory = await locateDirectory(source);
  if (directory.length > maxDirectoryBytes) {
    throw new InputError(source.name, `zip directory is ${directory.length} bytes long, above ${maxDirectoryBytes}`);
  }
  const bytes = await source.read(directory.offset, directory.length);
  const entries = parseDirectory(source, bytes, directory.count).sort((a, b) => a.localHeader - b.localHeader);
  const records = new Map<string, ZipRecord>();
  for (const [i, entry] of entries.entries()) {
    const { name, localHeader, nameLength, byteLength } = entry;
    const next = entries[i + 1]?.localHeader ?? directory.offset;
    const end = localHeader + localHeaderLength + nameLength + byteLength;
    if (end > directory.offset) throw recordError(source, name, "is outside the file: cut off, download it again");
    if (records.has(name)) throw recordError(source, name, "is listed twice");
    if (end > next) throw recordError(source, name, "overlaps another record");
    records.set(name, { ...entry, next });
  }
  return records;
}

/**
 * Where a record's first byte lies, from the start of the archive: behind its own header, whose padding the directory does
 * not tell.
 * @throws InputError if that header is broken
 */
export async function locateZipRecord(source: ByteSource, record: ZipRecord): Promise<number> {
  const { name, nameLength, localHeader, byteLength, next } = record;
  const headerLength = localHeaderLength + nameLength;
  const bytes = await source.read(localHeader, headerLength);
  const header = dataView(bytes);
  if (header.getUint32(0, true) !== 0x04034b50)
    throw recordError(source, name, "has no header where the directory says");
  if (header.getUint16(26, true) !== nameLength || decodeName(bytes.subarray(localHeaderLength)) !== name) {
    throw recordError(source, name, "has another name in its own header");
  }
  const offset = localHeader + headerLength + header.getUint16(28, true);
  if (offset + byteLength > next) throw recordError(source, name, "overlaps what follows it");
  return offset;
}

/** Read at once to check it. */
const pieceBytes = 4 * 2 ** 20;

/** @param offset of its first byte @throws InputError if the bytes of a record are not those that its checksum was made of */
export async function checkZipRecord(source: ByteSource, record: ZipRecord, offset: number): Promise<void> {
  const { name, byteLength, checksum } = record;
  if (checksum === 0) return;
  let found = 0;
  for (let start = 0; start < byteLength; start += pieceBytes) {
    found = crc32(await source.read(offset + start, Math.min(pieceBytes, byteLength - start)), found);
  }
  if (found !== checksum) throw recordError(source, name, "is damaged, says its checksum: download it again");
}

interface DirectoryPlace {
  readonly offset: number;
  readonly length: number;
  readonly count: number;
}

async function locateDirectory(source: ByteSource): Promise<DirectoryPlace> {
  // Archives of tensors have no comment: more is read only where one must be skipped.
  let [tail, at] = await readTail(source, endLength);
  if (at === undefined) [tail, at] = await readTail(source, endLength + maxCommentBytes);
  if (at === undefined) throw new InputError(source.name, "has no end of a zip archive: cut off, or not a zip archive");
  const end = source.size - tail.byteLength + at;
  const place = {
    disk: tail.getUint16(at + 4, true),
    count: tail.getUint16(at + 10, true),
    length: tail.getUint32(at + 12, true),
    offset: tail.getUint32(at + 16, true),
  };
  const saturated = place.count === 0xffff || place.length === 0xffffffff || place.offset === 0xffffffff;
  const found = saturated ? await locateDirectory64(source, end) : place;
  if (found.disk !== 0) throw new InputError(source.name, "is one part of a zip archive in several files");
  if (found.offset + found.length > end) {
    throw new InputError(source.name, `zip directory [${found.offset}, +${found.length}] is outside the file`);
  }
  if (found.count * directoryEntryLength > found.length) {
    throw new InputError(source.name, `zip directory of ${found.length} bytes cannot list ${found.count} records`);
  }
  return found;
}

async function readTail(source: ByteSource, longest: number): Promise<[DataView, number | undefined]> {
  const length = Math.min(source.size, longest);
  const tail = dataView(await source.read(source.size - length, length));
  return [tail, findEnd(tail)];
}

/** Where the end record starts: the last signature whose comment runs exactly to the end of the file. */
function findEnd(tail: DataView): number | undefined {
  for (let at = tail.byteLength - endLength; at >= 0; at--) {
    const isEnd = tail.getUint32(at, true) === 0x06054b50;
    if (isEnd && at + endLength + tail.getUint16(at + 20, true) === tail.byteLength) return at;
  }
  return undefined;
}

async function locateDirectory64(source: ByteSource, end: number): Promise<DirectoryPlace & { disk: number }> {
  const broken = () => new InputError(source.name, "has a broken end of a zip64 archive");
  if (end < locator64Length) throw broken();
  const locator = dataView(await source.read(end - locator64Length, locator64Length));
  const offset = safeUint64(locator, 8);
  if (locator.getUint32(0, true) !== 0x07064b50 || offset === undefined) throw broken();
  if (offset + end64Length > end - locator64Length) throw broken();
  const record = dataView(await source.read(offset, end64Length));
  const [count, length, start] = [safeUint64(record, 32), safeUint64(record, 40), safeUint64(record, 48)];
  if (record.getUint32(0, true) !== 0x06064b50) throw broken();
  if (count === undefined || length === undefined || start === undefined) throw broken();
  return { disk: record.getUint32(16, true), count, length, offset: start };
}

function parseDirectory(source: ByteSource, bytes: Uint8Array, count: number): DirectoryEntry[] {
  const directory = dataView(bytes);
  const entries: DirectoryEntry[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const broken = () => new InputError(source.name, `zip directory entry ${i} is broken`);
    if (at + directoryEntryLength > bytes.length || directory.getUint32(at, true) !== 0x02014b50) throw broken();
    const nameLength = directory.getUint16(at + 28, true);
    const nameEnd = at + directoryEntryLength + nameLength;
    const extraEnd = nameEnd + directory.getUint16(at + 30, true);
    const next = extraEnd + directory.getUint16(at + 32, true);
    if (next > bytes.length) throw broken();
    const name = decodeName(bytes.subarray(at + directoryEntryLength, nameEnd));
    if (name === undefined) throw broken();
    const flags = directory.getUint16(at + 8, true);
    const method = directory.getUint16(at + 10, true);
    if ((flags & 1) !== 0) throw recordError(source, name, "is encrypted");
    if (method !== 0) {
      throw recordError(source, name, `is compressed (method ${method}): store it uncompressed (zip -0)`);
    }
    const sizes = readSizes(directory, at, bytes.subarray(nameEnd, extraEnd));
    if (sizes === undefined) throw broken();
    if (sizes.compressed !== sizes.byteLength) throw recordError(source, name, "is stored with two different lengths");
    const checksum = directory.getUint32(at + 16, true);
    entries.push({ name, nameLength, localHeader: sizes.localHeader, byteLength: sizes.byteLength, checksum });
    at = next;
  }
  if (at !== bytes.length) throw new InputError(source.name, "zip directory is longer than its entries");
  return entries;
}

/** The lengths and the offset of a directory entry, from its zip64 extra field where the entry itself is too narrow. */
function readSizes(directory: DataView, at: number, extra: Uint8Array) {
  const wide = zip64Field(extra);
  let wideAt = 0;
  const read = (offset: number): number | undefined => {
    const narrow = directory.getUint32(at + offset, true);
    if (narrow !== 0xffffffff) return narrow;
    if (wide === undefined || wideAt + 8 > wide.byteLength) return undefined;
    wideAt += 8;
    return safeUint64(wide, wideAt - 8);
  };
  // In the order in which the extra field holds them.
  const byteLength = read(24);
  const compressed = read(20);
  const localHeader = read(42);
  if (byteLength === undefined || compressed === undefined || localHeader === undefined) return undefined;
  return { byteLength, compressed, localHeader };
}

function zip64Field(extra: Uint8Array): DataView | undefined {
  const fields = dataView(extra);
  for (let at = 0; at + 4 <= extra.length; ) {
    const end = at + 4 + fields.getUint16(at + 2, true);
    if (end > extra.length) return undefined;
    if (fields.getUint16(at, true) === 1) return dataView(extra.subarray(at + 4, end));
    at = end;
  }
  return undefined;
}

function decodeName(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function dataView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function safeUint64(bytes: DataView, at: number): number | undefined {
  const value = Number(bytes.getBigUint64(at, true));
  return Number.isSafeInteger(value) ? value : undefined;
}

function recordError(source: ByteSource, name: string, problem: string): InputError {
  return new InputError(source.name, `zip record ${quote(name)} ${problem}`);
}
