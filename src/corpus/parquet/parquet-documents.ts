import { InputError } from "../../errors.js";
import type { ByteSource } from "../../tensor/byte-source.js";
import { crc32 } from "../../tensor/crc32.js";
import type { Document } from "../corpus.js";
import { eventLoopTurns } from "../text/event-loop-turns.js";
import { checkExpansion } from "../text/expansion-bound.js";
import { readByteArrays } from "./byte-arrays.js";
import { decompressPage, type Unbrotli } from "./decompress-page.js";
import { type Dictionary, readDictionary } from "./dictionary.js";
import { type ColumnChunk, type ParquetColumn, readTextColumn } from "./metadata.js";
import { type PageHeader, readPageHeader } from "./page-header.js";
import { type Run, readRuns } from "./runs.js";
import { ThriftError, type ThriftReader } from "./thrift.js";

/** Headers have some 20 bytes, and statistics in them twice the longest text that the writer didn't shorten. */
const firstHeaderBytes = 2 ** 12;
const maxHeaderBytes = 2 ** 24;
/** Writers make pages of 1 MB, or of one text if it is longer; bounds what is held at once. */
const maxPageBytes = 2 ** 28;

/** So many texts may lie in a file of any size, and so many to its byte: short labels, eight to a byte, compressed. */
const freeRows = 2 ** 16;
const maxRowsPerByte = 64;
/** The same of a byte of bit-packed levels, each of which is up to eight rows to look at, with a text or without. */
const levelByteCost = 16;
/** Rows between two looks at the clock. */
const rowsAtOnce = 1024;

/**
 * The documents of a Parquet file (https://parquet.apache.org/docs/file-format/): one column of text, a document a row, a page
 * in memory at a time. Rows without a text are left out.
 * @param columnName names from the root joined by dots; no list may be on the way
 * @param unbrotli without it, pages in Brotli are refused
 * @throws InputError if the file is broken or has no such column of text
 */
export async function* parquetDocuments(
  source: ByteSource,
  columnName: string,
  unbrotli?: Unbrotli,
): AsyncGenerator<Document> {
  const { column, chunks } = await readTextColumn(source, columnName);
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let row = 0;
  let read = 0;
  let produced = 0;
  let texts = 0;
  const produce = (bytes: number) => {
    produced += bytes;
    checkExpansion(source.name, read, produced);
  };
  const turn = eventLoopTurns();
  for (const chunk of chunks) {
    read += chunk.byteLength;
    for await (const { levelBytes, rows } of chunkPages(source, column, chunk, unbrotli)) {
      produce(levelBytes * levelByteCost);
      await turn();
      for (const { text, rowsBefore } of rows) {
        row += rowsBefore;
        if (text === undefined) continue;
        produce(text.length + 1);
        checkRows(source, read, ++texts);
        if (row % rowsAtOnce === 0) await turn();
        yield { name: `${source.name} row ${row}`, separate: true, text: once(decode(decoder, source, row, text)) };
        row++;
      }
    }
  }
}

/** A text and the number of rows without one before it; at the end of a page such rows alone. */
interface RowText {
  text: Uint8Array | undefined;
  rowsBefore: number;
}

/** A page of values. */
interface DataPage {
  levelBytes: number;
  rows: Iterable<RowText>;
}

/** Millions of empty texts are a bomb too: each takes its time. */
function checkRows({ name }: ByteSource, read: number, texts: number): void {
  if (texts <= freeRows || texts <= read * maxRowsPerByte) return;
  throw new InputError(name, `has over ${texts - 1} texts in ${read} bytes: this looks like a decompression bomb`);
}

async function* chunkPages(
  source: ByteSource,
  column: ParquetColumn,
  chunk: ColumnChunk,
  unbrotli: Unbrotli | undefined,
): AsyncGenerator<DataPage> {
  const end = chunk.offset + chunk.byteLength;
  const decompressed: Decompressed = (bytes, size) => decompressPage(chunk.codec, bytes, size, unbrotli);
  let dictionary: Dictionary | undefined;
  let offset = chunk.offset;
  while (offset < end) {
    const refuse = refusal(source, offset);
    try {
      const { header, byteLength } = await readHeaderAt(source, offset, end);
      offset += byteLength;
      checkPageSize(source, header, end - offset);
      const bytes = await source.read(offset, header.compressedSize);
      offset += header.compressedSize;
      checkChecksum(header, bytes);
      if (header.kind === "dictionary") {
        dictionary = readDictionary(await decompressed(bytes, header.uncompressedSize), header.valueCount);
      }
      const parts = await pageParts(header, bytes, column, decompressed);
      if (parts === undefined) continue;
      yield {
        levelBytes: parts.levels.length,
        rows: refusing(pageTexts(header, parts, column, dictionary), refuse),
      };
    } catch (error) {
      throw refuse(error);
    }
  }
}

type Decompressed = (bytes: Uint8Array, size: number) => Promise<Uint8Array>;

/** What an error means of the page at that byte: broken bytes are an InputError. */
function refusal(source: ByteSource, offset: number): (error: unknown) => unknown {
  return (error) => {
    if (!(error instanceof ThriftError || error instanceof RangeError)) return error;
    return new InputError(source.name, `the page at byte ${offset} cannot be read: ${error.message}`, { cause: error });
  };
}

function* refusing<Item>(items: Iterable<Item>, refuse: (error: unknown) => unknown): Generator<Item> {
  try {
    yield* items;
  } catch (error) {
    throw refuse(error);
  }
}

function checkChecksum({ checksum }: PageHeader, bytes: Uint8Array): void {
  if (checksum === undefined || crc32(bytes) === checksum) return;
  throw new ThriftError("its bytes are not those of its checksum: download the file again");
}

/** @returns undefined for a page of something else than values */
async function pageParts(
  header: PageHeader,
  bytes: Uint8Array,
  column: ParquetColumn,
  decompressed: Decompressed,
): Promise<PageParts | undefined> {
  if (header.kind === "data") return splitLevels(await decompressed(bytes, header.uncompressedSize), column);
  return header.kind === "dataV2" ? splitLevelsV2(header, bytes, decompressed) : undefined;
}

async function readHeaderAt(
  source: ByteSource,
  offset: number,
  end: number,
): Promise<{ header: PageHeader; byteLength: number }> {
  for (let length = firstHeaderBytes; ; length *= 8) {
    const reader: ThriftReader = { bytes: await source.read(offset, Math.min(length, end - offset)), offset: 0 };
    try {
      return { header: readPageHeader(reader), byteLength: reader.offset };
    } catch (error) {
      const mayHelp =
        error instanceof ThriftError && error.isCutOff && length < end - offset && length < maxHeaderBytes;
      if (!mayHelp) throw error;
    }
  }
}

function checkPageSize(source: ByteSource, { compressedSize, uncompressedSize }: PageHeader, left: number): void {
  if (compressedSize > left) throw new ThriftError(`its header says ${compressedSize} bytes, ${left} are left`);
  checkExpansion(source.name, compressedSize, uncompressedSize);
  if (uncompressedSize > maxPageBytes) throw new ThriftError(`its ${uncompressedSize} bytes are above the limit`);
}

/** A page's definition levels, if it has any, and its values. */
interface PageParts {
  levels: Uint8Array;
  values: Uint8Array;
}

function splitLevels(page: Uint8Array, { maxDefinitionLevel }: ParquetColumn): PageParts {
  if (maxDefinitionLevel === 0) return { levels: new Uint8Array(0), values: page };
  if (page.length < 4) throw new ThriftError("it ends before its levels", true);
  const length = new DataView(page.buffer, page.byteOffset).getUint32(0, true);
  if (length > page.length - 4) throw new ThriftError("it ends inside its levels", true);
  return { levels: page.subarray(4, 4 + length), values: page.subarray(4 + length) };
}

async function splitLevelsV2(header: PageHeader, bytes: Uint8Array, decompressed: Decompressed): Promise<PageParts> {
  const { definitionBytes, repetitionBytes, uncompressedSize, isCompressed } = header;
  const start = definitionBytes + repetitionBytes;
  if (start > bytes.length || start > uncompressedSize) throw new ThriftError("it ends inside its levels", true);
  const levels = bytes.subarray(repetitionBytes, start);
  const rest = bytes.subarray(start);
  return { levels, values: isCompressed ? await decompressed(rest, uncompressedSize - start) : rest };
}

function* pageTexts(
  { valueCount, encoding }: PageHeader,
  { levels, values }: PageParts,
  { maxDefinitionLevel }: ParquetColumn,
  dictionary: Dictionary | undefined,
): Generator<RowText> {
  const bitWidth = 32 - Math.clz32(maxDefinitionLevel);
  const runs = (): Iterable<Run> =>
    maxDefinitionLevel === 0 ? [{ value: 0, count: valueCount }] : readRuns(levels, bitWidth);
  const texts = readByteArrays(values, encoding, presentCount(runs(), valueCount, maxDefinitionLevel), dictionary);
  let left = valueCount;
  let rowsBefore = 0;
  for (const { value, count } of runs()) {
    if (left === 0) break;
    const rows = Math.min(count, left);
    left -= rows;
    if (value !== maxDefinitionLevel) {
      rowsBefore += rows;
      continue;
    }
    for (let i = 0; i < rows; i++) {
      const { done, value: text } = texts.next();
      if (done || text === undefined) throw new ThriftError(`it has fewer texts than the ${valueCount} that it says`);
      yield { text, rowsBefore };
      rowsBefore = 0;
    }
  }
  if (left > 0) throw new ThriftError(`it has ${left} levels fewer than the ${valueCount} that it says`);
  if (rowsBefore > 0) yield { text: undefined, rowsBefore };
}

/** How many of a page's values are there: its lengths are as many, whatever they say. */
function presentCount(runs: Iterable<Run>, valueCount: number, maxDefinitionLevel: number): number {
  let left = valueCount;
  let present = 0;
  for (const { value, count } of runs) {
    if (left === 0) break;
    const rows = Math.min(count, left);
    left -= rows;
    if (value === maxDefinitionLevel) present += rows;
  }
  return present;
}

function decode(decoder: TextDecoder, source: ByteSource, row: number, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    throw new InputError(source.name, `row ${row} is not UTF-8`, { cause: error });
  }
}

async function* once(text: string): AsyncGenerator<string> {
  yield text;
}
