import { InputError } from "../../errors.js";
import type { ByteSource } from "../../tensor/byte-source.js";
import type { Document } from "../corpus.js";
import { checkExpansion } from "../text/expansion-bound.js";
import { readByteArrays, readPlain } from "./byte-arrays.js";
import { decompressPage } from "./decompress-page.js";
import { type ColumnChunk, type ParquetColumn, readTextColumn } from "./metadata.js";
import { type PageHeader, readPageHeader } from "./page-header.js";
import { type Run, readRuns } from "./runs.js";
import { ThriftError, type ThriftReader } from "./thrift.js";

/** Headers have some 20 bytes, and statistics in them twice the longest text that the writer didn't shorten. */
const firstHeaderBytes = 2 ** 12;
const maxHeaderBytes = 2 ** 24;
/** Writers make pages of 1 MB, or of one text if it is longer; bounds what is held at once. */
const maxPageBytes = 2 ** 29;

/**
 * The documents of a Parquet file (https://parquet.apache.org/docs/file-format/): one column of text, a document a row, a page
 * in memory at a time. Rows without a text are left out.
 * @param columnName names from the root joined by dots; no list may be on the way
 * @throws InputError if the file is broken or has no such column of text
 */
export async function* parquetDocuments(source: ByteSource, columnName: string): AsyncGenerator<Document> {
  const { column, chunks } = await readTextColumn(source, columnName);
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let row = 0;
  let read = 0;
  let produced = 0;
  for (const chunk of chunks) {
    read += chunk.byteLength;
    for await (const { text, rowsBefore } of chunkTexts(source, column, chunk)) {
      row += rowsBefore;
      if (text === undefined) continue;
      produced += text.length + 1;
      checkExpansion(source.name, read, produced);
      yield { name: `${source.name} row ${row}`, separate: true, text: once(decode(decoder, source, row, text)) };
      row++;
    }
  }
}

/** A text and the number of rows without one before it; at the end of a page such rows alone. */
interface RowText {
  text: Uint8Array | undefined;
  rowsBefore: number;
}

async function* chunkTexts(source: ByteSource, column: ParquetColumn, chunk: ColumnChunk): AsyncGenerator<RowText> {
  const end = chunk.offset + chunk.byteLength;
  let dictionary: Uint8Array[] | undefined;
  let offset = chunk.offset;
  while (offset < end) {
    const place = `the page at byte ${offset}`;
    try {
      const { header, byteLength } = await readHeaderAt(source, offset, end);
      offset += byteLength;
      checkPageSize(source, header, end - offset);
      const bytes = await source.read(offset, header.compressedSize);
      offset += header.compressedSize;
      if (header.kind === "dictionary") {
        const page = await decompressPage(chunk.codec, bytes, header.uncompressedSize);
        dictionary = [...readPlain(page)];
      } else if (header.kind === "data") {
        const page = await decompressPage(chunk.codec, bytes, header.uncompressedSize);
        yield* pageTexts(header, splitLevels(page, column), column, dictionary);
      } else if (header.kind === "dataV2") {
        yield* pageTexts(header, await splitLevelsV2(header, bytes, chunk.codec), column, dictionary);
      }
    } catch (error) {
      if (!(error instanceof ThriftError || error instanceof RangeError)) throw error;
      throw new InputError(source.name, `${place} cannot be read: ${error.message}`, { cause: error });
    }
  }
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
  if (uncompressedSize > maxPageBytes) throw new ThriftError(`its ${uncompressedSize} bytes are above the limit`);
  checkExpansion(source.name, compressedSize, uncompressedSize);
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

async function splitLevelsV2(header: PageHeader, bytes: Uint8Array, codec: number): Promise<PageParts> {
  const { definitionBytes, repetitionBytes, uncompressedSize, isCompressed } = header;
  const start = definitionBytes + repetitionBytes;
  if (start > bytes.length || start > uncompressedSize) throw new ThriftError("it ends inside its levels", true);
  const levels = bytes.subarray(repetitionBytes, start);
  const rest = bytes.subarray(start);
  return { levels, values: isCompressed ? await decompressPage(codec, rest, uncompressedSize - start) : rest };
}

function* pageTexts(
  { valueCount, encoding }: PageHeader,
  { levels, values }: PageParts,
  { maxDefinitionLevel }: ParquetColumn,
  dictionary: readonly Uint8Array[] | undefined,
): Generator<RowText> {
  const texts = readByteArrays(values, encoding, valueCount, dictionary);
  const bitWidth = 32 - Math.clz32(maxDefinitionLevel);
  const runs: Iterable<Run> = maxDefinitionLevel === 0 ? [{ value: 0, count: valueCount }] : readRuns(levels, bitWidth);
  let left = valueCount;
  let rowsBefore = 0;
  for (const { value, count } of runs) {
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
