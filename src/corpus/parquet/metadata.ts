import { InputError } from "../../errors.js";
import type { ByteSource } from "../../tensor/byte-source.js";
import { quote } from "../../tensor/strict-json.js";
import {
  expect,
  readBinary,
  readList,
  readNumber,
  readStruct,
  readText,
  ThriftError,
  type ThriftReader,
  ThriftType,
} from "./thrift.js";

/** Real footers have a few MB; a bound on what is read at once. */
const maxMetadataBytes = 2 ** 26;
/** The widest tables in use have some ten thousand columns. */
const maxSchemaElements = 2 ** 17;

/** A leaf of the schema: what a column chunk holds the values of. */
export interface ParquetColumn {
  /** Names from the root. */
  names: readonly string[];
  /** Parquet's physical type; 6 is BYTE_ARRAY. */
  type: number | undefined;
  /** Whether it is of no type, as writers make a column that is absent in every row. */
  isNull: boolean;
  /** How many of the path's elements may be absent: the definition level of a value that is there. */
  maxDefinitionLevel: number;
  /** Whether a row can have several values. */
  isRepeated: boolean;
}

/** Where the values of one column of one row group lie. */
export interface ColumnChunk {
  /** Parquet's number of the compression. */
  codec: number;
  offset: number;
  byteLength: number;
}

/**
 * The column of text of that name and its chunk in each row group, in order.
 * @throws InputError if the file is no Parquet file or has no such column of text
 */
export async function readTextColumn(
  source: ByteSource,
  name: string,
): Promise<{ column: ParquetColumn; chunks: ColumnChunk[] }> {
  const bytes = await readFooter(source);
  try {
    return parseFooter(source, bytes, name);
  } catch (error) {
    if (!(error instanceof ThriftError)) throw error;
    throw new InputError(source.name, `Parquet metadata is broken: ${error.message}`, { cause: error });
  }
}

async function readFooter(source: ByteSource): Promise<Uint8Array> {
  const tail = source.size < 12 ? new Uint8Array(8) : await source.read(source.size - 8, 8);
  const magic = new TextDecoder().decode(tail.subarray(4));
  if (magic === "PARE") throw new InputError(source.name, "is an encrypted Parquet file");
  if (magic !== "PAR1") throw new InputError(source.name, "does not end as a Parquet file does: is it complete?");
  const length = new DataView(tail.buffer, tail.byteOffset).getUint32(0, true);
  if (length > source.size - 12 || length > maxMetadataBytes) {
    throw new InputError(
      source.name,
      `Parquet metadata length ${length} is too large for the file (${source.size} bytes)`,
    );
  }
  return source.read(source.size - 8 - length, length);
}

function parseFooter(
  source: ByteSource,
  bytes: Uint8Array,
  name: string,
): { column: ParquetColumn; chunks: ColumnChunk[] } {
  const reader: ThriftReader = { bytes, offset: 0 };
  const elements: SchemaElement[] = [];
  let found: { column: ParquetColumn; index: number } | InputError | undefined;
  const chunks: (FoundChunk | undefined)[] = [];
  readStruct(reader, {
    2: (type) =>
      readList(reader, type, ThriftType.struct, () => {
        if (elements.length >= maxSchemaElements) throw new ThriftError(`more than ${maxSchemaElements} columns`);
        elements.push(readSchemaElement(reader));
      }),
    4: (type) => {
      found ??= findTextColumn(source, leaves(elements), name);
      const index = found instanceof InputError ? -1 : found.index;
      readList(reader, type, ThriftType.struct, () => {
        const { rows, chunk } = readRowGroup(reader, index);
        if (rows !== 0) chunks.push(chunk);
      });
    },
  });
  if (found === undefined) throw new ThriftError("no row groups");
  // In a part without rows the column may be of any type, or missing: its writer saw no value.
  if (chunks.length === 0) return { column: absent, chunks: [] };
  if (found instanceof InputError) throw found;
  const { column } = found;
  if (column.isNull) return { column, chunks: [] };
  return { column, chunks: withoutOverlap(chunks.map((chunk) => checkedChunk(source, chunk))) };
}

const absent: ParquetColumn = { names: [], type: undefined, isNull: true, maxDefinitionLevel: 0, isRepeated: false };

/** Chunks that share bytes would be a text that is longer than its file. */
function withoutOverlap(chunks: ColumnChunk[]): ColumnChunk[] {
  const sorted = chunks.filter(({ byteLength }) => byteLength > 0).sort((a, b) => a.offset - b.offset);
  for (let i = 1; i < sorted.length; i++) {
    const [before, after] = [sorted[i - 1]!, sorted[i]!];
    if (before.offset + before.byteLength > after.offset) {
      throw new ThriftError(`the column chunks at bytes ${before.offset} and ${after.offset} overlap`);
    }
  }
  return chunks;
}

interface SchemaElement {
  type?: number;
  repetition?: number;
  name: string;
  children: number;
  isNull: boolean;
}

/** Parquet's number, among the logical types, of one that says that nothing is known of the values. */
const unknownType = 11;

function readSchemaElement(reader: ThriftReader): SchemaElement {
  const element: SchemaElement = { name: "", children: 0, isNull: false };
  readStruct(reader, {
    1: (type) => {
      element.type = readNumber(reader, type);
    },
    3: (type) => {
      element.repetition = readNumber(reader, type);
    },
    4: (type) => {
      element.name = readText(reader, type);
    },
    5: (type) => {
      element.children = readNumber(reader, type);
    },
    10: (type) => {
      expect(type, ThriftType.struct);
      readStruct(reader, {
        [unknownType]: (type) => {
          expect(type, ThriftType.struct);
          readStruct(reader, {});
          element.isNull = true;
        },
      });
    },
  });
  return element;
}

/** The leaves of a schema, which lists its elements depth first, the root before all. */
function leaves(elements: SchemaElement[]): ParquetColumn[] {
  const found: ParquetColumn[] = [];
  const open = [{ left: elements[0]?.children ?? 0, names: [] as string[], definition: 0, isRepeated: false }];
  for (const { type, repetition, name, children, isNull } of elements.slice(1)) {
    while (open.at(-1)?.left === 0) open.pop();
    const parent = open.at(-1);
    if (parent === undefined) throw new ThriftError("the schema has more columns than it says");
    parent.left--;
    const names = [...parent.names, name];
    const definition = parent.definition + (repetition === 0 ? 0 : 1);
    const isRepeated = parent.isRepeated || repetition === 2;
    if (names.length > 64) throw new ThriftError("columns nested more than 64 deep");
    if (children > 0) open.push({ left: children, names, definition, isRepeated });
    else found.push({ names, type, isNull, maxDefinitionLevel: definition, isRepeated });
  }
  return found;
}

const byteArray = 6;

function findTextColumn(
  { name: file }: ByteSource,
  columns: ParquetColumn[],
  name: string,
): { column: ParquetColumn; index: number } | InputError {
  const index = columns.findIndex(({ names }) => isPath(names, name));
  const column = columns[index];
  const isText = ({ type, isNull, isRepeated }: ParquetColumn) => (type === byteArray || isNull) && !isRepeated;
  if (column !== undefined && isText(column)) return { column, index };
  const texts = columns.filter(isText);
  const some = texts.slice(0, 10).map(({ names }) => quote(names.map((part) => part.slice(0, 200)).join(".")));
  const known = texts.length === 0 ? "it has none" : `it has ${some.join(", ")}`;
  const problem = column === undefined ? "is not there" : "doesn't hold one text a row";
  return new InputError(file, `column ${quote(name)} ${problem}; of columns of text ${known}`);
}

/** Whether the names joined by dots are the path: without joining them, as one may be long and a part of many. */
function isPath(names: readonly string[], path: string): boolean {
  let at = 0;
  for (const name of names) {
    if (at > path.length || !path.startsWith(name, at)) return false;
    at += name.length + 1;
    if (at <= path.length && path[at - 1] !== ".") return false;
  }
  return at === path.length + 1;
}

function readRowGroup(reader: ThriftReader, index: number): { rows: number; chunk: FoundChunk | undefined } {
  let at = 0;
  let chunk: FoundChunk | undefined;
  let rows = 0;
  readStruct(reader, {
    1: (type) =>
      readList(reader, type, ThriftType.struct, () => {
        if (at++ === index) chunk = readColumnChunk(reader);
        else readStruct(reader, {});
      }),
    3: (type) => {
      rows = readNumber(reader, type);
    },
  });
  return { rows, chunk };
}

interface FoundChunk {
  codec: number;
  dataOffset: number;
  dictionaryOffset: number;
  byteLength: number;
  type: number;
}

/** As it stands there: what it says is checked where the row group has rows. */
function readColumnChunk(reader: ThriftReader): FoundChunk {
  const found: FoundChunk = { codec: -1, dataOffset: -1, dictionaryOffset: -1, byteLength: -1, type: -1 };
  readStruct(reader, {
    1: () => {
      throw new ThriftError("a column lies in another file");
    },
    3: (type) => {
      expect(type, ThriftType.struct);
      readStruct(reader, {
        1: (type) => {
          found.type = readNumber(reader, type);
        },
        4: (type) => {
          found.codec = readNumber(reader, type);
        },
        7: (type) => {
          found.byteLength = readNumber(reader, type);
        },
        9: (type) => {
          found.dataOffset = readNumber(reader, type);
        },
        11: (type) => {
          found.dictionaryOffset = readNumber(reader, type);
        },
      });
    },
    8: () => {
      throw new ThriftError("the column is encrypted");
    },
    9: (type) => {
      readBinary(reader, type);
      throw new ThriftError("the column is encrypted");
    },
  });
  return found;
}

function checkedChunk(source: ByteSource, found: FoundChunk | undefined): ColumnChunk {
  if (found === undefined) throw new ThriftError("a row group has fewer columns than the schema");
  const { codec, dataOffset, dictionaryOffset, byteLength } = found;
  const offset = dictionaryOffset > 0 ? Math.min(dictionaryOffset, dataOffset) : dataOffset;
  if (found.type !== byteArray) throw new ThriftError("a column chunk has another type than the schema");
  if (offset < 4 || byteLength < 0 || offset + byteLength > source.size) {
    throw new ThriftError(`a column chunk lies at bytes ${offset} to ${offset + byteLength}, outside the file`);
  }
  return { codec, offset, byteLength };
}
